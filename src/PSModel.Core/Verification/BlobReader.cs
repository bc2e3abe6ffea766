using PSModel.Core.Hashing;
using PSModel.Core.Names;

namespace PSModel.Core.Verification;

/// <summary>Reads a file from its beginning to its end and hashes what comes. Stateless and thread-safe.</summary>
public static class BlobReader
{
    private const int BufferSize = 1024 * 1024;

    /// <summary>Reads a file through the operating system's cache; reading and hashing overlap.</summary>
    /// <param name="path">The file.</param>
    /// <param name="onRead">Told of the bytes of each read, from any thread.</param>
    /// <param name="cancellationToken">Stops between two reads.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<BlobReading> ReadAsync(string path, Action<int>? onRead, CancellationToken cancellationToken)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1, FileOptions.SequentialScan);
        Sha256 sha = new();
        byte[] current = new byte[BufferSize];
        byte[] next = new byte[BufferSize];
        int length = Fill(file, current);
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task<int> reading = Task.Run(() => Fill(file, next), CancellationToken.None);
            sha.Append(current.AsSpan(0, length));
            onRead?.Invoke(length);
            length = await reading.ConfigureAwait(false);
            (current, next) = (next, current);
        }

        return new BlobReading(BlobDigest.FromHash(sha.ComputeHash()), sha.Length);
    }

    private static int Fill(FileStream file, byte[] buffer)
    {
        int filled = 0;
        int read;
        do
        {
            read = file.Read(buffer, filled, buffer.Length - filled);
            filled += read;
        }
        while (read > 0 && filled < buffer.Length);
        return filled;
    }
}
