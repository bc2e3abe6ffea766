using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>Makes the fault of a manifest that cannot be used. Immutable.</summary>
internal sealed class ManifestFault(ModelName name, string source, byte[] bytes)
{
    /// <summary><see cref="ModelFault.ManifestInvalid"/>, with the reason.</summary>
    public ModelFaultException Because(string reason, Exception? inner = null) => new(
        ModelFault.ManifestInvalid,
        $"The manifest of {name.Shortest} at {source} cannot be used: {reason}.",
        new FaultFacts { Name = name.Shortest, Path = source, Content = bytes.Length > ManifestReader.MaximumBytes ? null : bytes },
        inner);
}
