using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Sources;

/// <summary>Where models come from. Thread-safe; what it holds open is closed when it is disposed of.</summary>
public abstract class ModelSource : IDisposable
{
    /// <summary>Only the core has sources.</summary>
    private protected ModelSource()
    {
    }

    internal abstract int MaximumRetries { get; }

    internal abstract TimeSpan RetryInterval { get; }

    /// <summary>Reads and checks a model's manifest, of a list the one that is wanted; blocks until it is there.</summary>
    /// <param name="name">The model.</param>
    /// <param name="origin">The address of the registry that it came from before; <see langword="null"/> for the one of the name.</param>
    /// <param name="runner">Which manifest of a list; <see langword="null"/> for the one that Ollama would take.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ModelFaultException">It cannot be had, or cannot be used.</exception>
    public abstract Manifest GetManifest(ModelName name, string? origin, string? runner, CancellationToken cancellationToken);

    /// <summary>Reads and checks a model's manifest; blocks until it is there.</summary>
    /// <exception cref="ModelFaultException">It cannot be had, or cannot be used.</exception>
    public Manifest GetManifest(ModelName name, CancellationToken cancellationToken) => GetManifest(name, origin: null, runner: null, cancellationToken);

    /// <summary>Lists the tags that there are of a model; blocks until they are known.</summary>
    /// <param name="name">The model; its tag counts for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A name for each tag, in the source's order.</returns>
    /// <exception cref="ModelFaultException">There is no such model, or no list of its tags.</exception>
    public abstract IReadOnlyList<ModelName> GetTags(ModelName name, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    internal abstract void Trace(string message);

    /// <summary>The source of one blob; nothing is asked for yet.</summary>
    internal abstract BlobSource OpenBlob(Manifest manifest, Layer layer);

    /// <summary>The file that holds a blob, which could have a second name in a store; <see langword="null"/> where there is none.</summary>
    internal virtual string? TryFindFile(Layer layer) => null;

    /// <summary>Closes what is open.</summary>
    protected virtual void Dispose(bool isDisposing)
    {
    }
}
