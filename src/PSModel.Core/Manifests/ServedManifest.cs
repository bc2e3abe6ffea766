using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>Makes of what is served under a model's name the manifest that is saved: of a list the one that is wanted, and of a model for
/// another runner one for Ollama. Stateless and thread-safe.</summary>
internal static class ServedManifest
{
    /// <summary>Reads what is served.</summary>
    /// <param name="name">The model.</param>
    /// <param name="source">Where it comes from: an address or a path.</param>
    /// <param name="bytes">What was served.</param>
    /// <param name="runner">Which manifest of a list; <see langword="null"/> for the one that Ollama would take.</param>
    /// <param name="readBlob">Reads a blob of <see cref="ForeignModel.LongestText"/> at most, with its digest checked.</param>
    /// <param name="readChosen">Reads a manifest of a list, which is a blob, with the digest checked.</param>
    /// <param name="trace">Told which manifest of a list is taken.</param>
    /// <exception cref="Faults.ModelFaultException">It cannot be used.</exception>
    public static Manifest Read(ModelName name, string source, byte[] bytes, string? runner, Func<Layer, byte[]> readBlob, Func<ManifestListEntry, byte[]> readChosen, Action<string> trace)
    {
        if (ManifestListReader.TryRead(name, source, bytes) is { } list)
        {
            ManifestListEntry choice = list.Choose(runner);
            trace($"{name.Shortest} is a list of manifests; the one for {choice.Runner ?? "any runner"} is taken, {choice.Digest}.");
            return ManifestReader.Read(name, source, readChosen(choice)).Of(list, choice);
        }

        Manifest manifest = ManifestReader.Read(name, source, bytes).RequireFor(runner);
        return ForeignModel.Is(manifest) ? ForeignModel.Convert(manifest, readBlob) : manifest;
    }
}
