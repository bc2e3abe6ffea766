using PSModel.Core.Faults;

namespace PSModel.Core.Folders;

/// <summary>Makes the fault of an image layout's index that cannot be used. Immutable.</summary>
/// <param name="path">The index.</param>
internal sealed class LayoutFault(string path)
{
    /// <summary><see cref="ModelFault.ManifestInvalid"/>, with the reason.</summary>
    public ModelFaultException Because(string reason, Exception? inner = null) => new(ModelFault.ManifestInvalid, $"The image layout's index '{path}' cannot be used: {reason}.", new FaultFacts { Path = path, Remedy = "Have the image layout written again, by whatever wrote it." }, inner);
}
