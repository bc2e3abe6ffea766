using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>
/// Remembers where the upload of a blob to a repository goes on, so that a later call need not begin anew: three lines, the blob, the
/// repository's address, and the place at the registry. Held by one upload at a time. A store that cannot be written remembers nothing.
/// For one thread at a time.
/// </summary>
internal sealed class UploadFile : IDisposable
{
    private const string NewSuffix = ".new";
    private const int MaximumBytes = 16 * 1024;

    private readonly ModelStore _store;
    private readonly string _first;
    private readonly string _authority;
    private readonly string _fileName;
    private readonly BlobLock? _held;

    /// <summary>Takes hold of it, unless another upload has.</summary>
    /// <param name="store">The store of the blob.</param>
    /// <param name="digest">The blob.</param>
    /// <param name="authority">The registry's scheme, host and port.</param>
    /// <param name="repository">The repository.</param>
    public UploadFile(ModelStore store, BlobDigest digest, string authority, string repository)
    {
        _store = store;
        _authority = authority;
        _first = $"{digest}\n{authority}/{repository}\n";
        BlobDigest key = BlobDigest.Of(Encoding.UTF8.GetBytes(_first));
        _fileName = WorkFile.UploadPrefix + key.FileName;
        _held = Try(() =>
        {
            store.CreateWork();
            return BlobLock.TryAcquire(store, key);
        });
    }

    /// <summary>Where it lies.</summary>
    private string FilePath => Path.Combine(_store.Work, _fileName);

    /// <summary>What an earlier call wrote; <see langword="null"/> where there is nothing of use. The registry is to be asked how far
    /// it is.</summary>
    public UploadState? TryRead() => Try(() =>
    {
        if (_held is null || WorkFile.TryRead(FilePath, MaximumBytes) is not { } bytes)
        {
            return null;
        }

        // Others may write in the work folder, and what is shown to the place is for the registry alone.
        string text = Encoding.UTF8.GetString(bytes);
        string place = text.StartsWith(_first, StringComparison.Ordinal) ? text.Substring(_first.Length).TrimEnd('\n') : string.Empty;
        return IsOfRegistry(place, out Uri? location) ? new UploadState(location, Offset: 0, ShortestChunk: 0) : null;
    });

    /// <summary>Remembers a place.</summary>
    public void Write(UploadState upload) => Try<object>(() =>
    {
        // Another host's address may be one that lets anybody write.
        if (_held is not null && IsOfRegistry(upload.Location.AbsoluteUri, out _))
        {
            DurableFile.WriteWhole(_store, Encoding.UTF8.GetBytes($"{_first}{upload.Location.AbsoluteUri}\n"), FilePath + NewSuffix, FilePath);
        }

        return null;
    });

    /// <summary>Forgets it: there is nothing to go on with.</summary>
    public void Delete() => Try<object>(() =>
    {
        if (_held is not null)
        {
            DurableFile.Delete(FilePath);
        }

        return null;
    });

    /// <inheritdoc/>
    public void Dispose() => _held?.Dispose();

    private bool IsOfRegistry(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Uri? location) =>
        Uri.TryCreate(text, UriKind.Absolute, out location)
        && location.UserInfo.Length == 0
        && string.Equals(location.GetLeftPart(UriPartial.Authority), _authority, StringComparison.OrdinalIgnoreCase);

    /// <summary>An upload goes as well without it.</summary>
    private static T? Try<T>(Func<T?> step)
        where T : class
    {
        try
        {
            return step();
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            return null;
        }
    }
}
