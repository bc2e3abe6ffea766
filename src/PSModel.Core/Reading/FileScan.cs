namespace PSModel.Core.Reading;

/// <summary>Reads a file from its beginning to its end; the next unit is read while one is used. Stateless and thread-safe.</summary>
internal static class FileScan
{
    /// <summary>Reads a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="use">Given each unit in order.</param>
    /// <param name="onError">Told of a unit that cannot be read, which is then passed over; without it that ends the scan.</param>
    /// <param name="cancellationToken">Stops between two units.</param>
    /// <returns>How many bytes were read.</returns>
    /// <exception cref="IOException">A unit cannot be read.</exception>
    public static async Task<long> RunAsync(BlobFile file, UnitConsumer use, Action<long, IOException>? onError, CancellationToken cancellationToken)
    {
        using ReadBuffer first = new();
        using ReadBuffer second = new();
        (ReadBuffer current, ReadBuffer next) = (first, second);
        long total = 0;
        bool isGood = Read(file, 0, current, onError);
        for (long offset = 0; offset < file.Length; offset += ReadBuffer.UnitSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long following = offset + ReadBuffer.UnitSize;
            ReadBuffer target = next;
            Task<bool> reading = Task.Run(() => Read(file, following, target, onError), CancellationToken.None);
            try
            {
                if (isGood)
                {
                    total += current.Length;
                    use(offset, current.Content);
                }
            }
            finally
            {
                isGood = await reading.ConfigureAwait(false);
            }

            (current, next) = (next, current);
        }

        return total;
    }

    private static bool Read(BlobFile file, long offset, ReadBuffer buffer, Action<long, IOException>? onError)
    {
        if (offset >= file.Length)
        {
            return false;
        }

        try
        {
            file.Read(offset, buffer);
            return true;
        }
        catch (IOException e) when (onError is not null)
        {
            onError(offset, e);
            return false;
        }
    }
}
