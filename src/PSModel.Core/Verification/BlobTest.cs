using System.Diagnostics;
using PSModel.Core.Names;

namespace PSModel.Core.Verification;

/// <summary>A test of one blob's file: what to expect, and after <see cref="RunAsync"/> what was found. For one run.</summary>
public sealed class BlobTest
{
    private long _read;

    /// <summary>Says what to test.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">The digest that it should have.</param>
    /// <param name="size">The size in bytes that it should have, if that is known.</param>
    /// <param name="name">The model it belongs to, if that is known.</param>
    /// <param name="mediaType">Its media type, if that is known.</param>
    public BlobTest(string path, BlobDigest digest, long? size, ModelName? name, string? mediaType)
    {
        Path = path;
        Digest = digest;
        ExpectedSize = size;
        Name = name;
        MediaType = mediaType;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The expected digest.</summary>
    public BlobDigest Digest { get; }

    /// <summary>The expected size in bytes, if known.</summary>
    public long? ExpectedSize { get; }

    /// <summary>The model, if known.</summary>
    public ModelName? Name { get; }

    /// <summary>The media type, if known.</summary>
    public string? MediaType { get; }

    /// <summary>What was found.</summary>
    public BlobStatus Status { get; private set; }

    /// <summary>The digest of what was read; <see langword="null"/> where nothing was.</summary>
    public BlobDigest? Actual { get; private set; }

    /// <summary>The expected size, else that of the file, in bytes.</summary>
    public long Size { get; private set; }

    /// <summary>The bytes read so far; may be read while the test runs.</summary>
    public long BytesRead => Interlocked.Read(ref _read);

    /// <summary>The time that the test took.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Runs the test. What is wrong with the file is a finding, not an exception.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        FileInfo file = new(Path);
        Size = ExpectedSize ?? (file.Exists ? file.Length : 0);
        Status =
            file.Exists && ExpectedSize is { } expected && file.Length != expected ? BlobStatus.SizeMismatch
            : file.Exists ? await ReadAsync(cancellationToken).ConfigureAwait(false)
            : Directory.Exists(Path) ? BlobStatus.Unreadable
            : BlobStatus.Missing;
        Elapsed = clock.Elapsed;
    }

    private async Task<BlobStatus> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            BlobReading reading = await BlobReader.ReadAsync(Path, bytes => Interlocked.Add(ref _read, bytes), cancellationToken).ConfigureAwait(false);
            Actual = reading.Digest;
            return Actual == Digest ? BlobStatus.Valid : BlobStatus.DigestMismatch;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return BlobStatus.Unreadable;
        }
    }
}
