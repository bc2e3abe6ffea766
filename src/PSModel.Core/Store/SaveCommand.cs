using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Store;

/// <summary>The commands that messages recommend: whole, so that they do what they say wherever they are pasted. Stateless and
/// thread-safe.</summary>
public static class SaveCommand
{
    /// <summary>Typographic quotes end a text of PowerShell's as well as plain ones.</summary>
    private const string Quotes = "'\u2018\u2019\u201a\u201b";

    /// <summary>Saves a model of a store again, from where it came.</summary>
    /// <param name="store">The store.</param>
    /// <param name="manifest">The model.</param>
    /// <param name="how">A switch, or nothing.</param>
    public static string For(ModelStore store, Manifest manifest, string how = "") => For(store, manifest.Name, RegistryEndpoint.OriginOf(manifest), ManifestList.Runners.Contains(manifest.Runner) ? $"-Runner {manifest.Runner} {how}".TrimEnd() : how);

    /// <summary>Saves a model of a store again.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">The model.</param>
    /// <param name="origin">The address of its registry, where it is not the one that the name tells.</param>
    /// <param name="how">A switch, or nothing.</param>
    public static string For(ModelStore store, ModelName name, string? origin, string how = "")
    {
        string plain = $"http://{name.Host}";
        OciReference? source = OciReference.TryOfAddress(origin);
        bool isPlain = source is null && (origin is null ? name.Scheme == "http" : origin == plain);
        string text = isPlain ? $"{plain}/{name.Namespace}/{name.Model}:{name.Tag}" : name.Shortest;
        text = name.Pin is null ? text : $"{text}@{name.Pin}";
        bool isElsewhere = origin is not null && origin != plain && origin != $"{ModelName.DefaultScheme}://{name.Host}";
        bool isExposed = AddressText.TryRead(isElsewhere ? origin : isPlain ? plain : null, out Uri? address) && !AddressText.IsPrivate(address);
        return string.Join(" ", new[]
        {
            $"Save-ModelBlob {text} -StorePath {Quote(store.Root)}",
            source is not null ? $"-Source {Quote(source.ToString())}" : isElsewhere ? $"-Registry {Quote(origin!)}" : string.Empty,
            isExposed ? "-AllowUnencrypted" : string.Empty,
            how,
        }.Where(part => part.Length > 0));
    }

    /// <summary>A text as PowerShell takes it as it is.</summary>
    public static string Quote(string text) => $"'{string.Concat(text.Select(c => Quotes.Any(quote => quote == c) ? $"{c}{c}" : c.ToString()))}'";
}
