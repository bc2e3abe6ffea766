using PSModel.Core.Faults;
using PSModel.Core.Manifests;

namespace PSModel.Core.Publishing;

/// <summary>Where models are published. Thread-safe.</summary>
public abstract class PublishDestination
{
    /// <summary>For this room alone.</summary>
    private protected PublishDestination()
    {
    }

    /// <summary>The place of one model; nothing is asked or written yet.</summary>
    /// <exception cref="ModelFaultException">There can be none.</exception>
    internal abstract IPublishTarget Open(Manifest manifest);
}
