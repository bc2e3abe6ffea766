using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Publishing;

/// <summary>Where models are published. Thread-safe.</summary>
public abstract class PublishDestination
{
    /// <summary>For this room alone.</summary>
    private protected PublishDestination()
    {
    }

    /// <summary>The place of one model; nothing is asked or written yet.</summary>
    /// <param name="manifest">The model.</param>
    /// <param name="asked">The name that it was asked for by, which may say more than the store's: how its registry is reached.</param>
    /// <exception cref="ModelFaultException">There can be none.</exception>
    internal abstract IPublishTarget Open(Manifest manifest, ModelName asked);
}
