using System.Globalization;
using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>Turns the bytes of a list of manifests into a checked <see cref="ManifestList"/>. Stateless and thread-safe.</summary>
internal static class ManifestListReader
{
    /// <summary>The most manifests that a list may name.</summary>
    private const int MaximumEntries = 100;

    /// <summary>Reads and checks a list.</summary>
    /// <param name="name">The model it is for.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <param name="bytes">UTF-8 JSON.</param>
    /// <returns><see langword="null"/> where it is something else: a single manifest mostly.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestInvalid"/>, with the reason.</exception>
    public static ManifestList? TryRead(ModelName name, string source, byte[] bytes)
    {
        ManifestFault fault = new(name, source, bytes);
        return ManifestJson.Read(bytes, fault, root => ManifestJson.Text(root, "mediaType") == MediaTypes.OllamaList ? Read(name, source, root, fault) : null);
    }

    private static ManifestList Read(ModelName name, string source, JsonElement root, ManifestFault fault)
    {
        if (!root.TryGetProperty("manifests", out JsonElement manifests) || manifests.ValueKind != JsonValueKind.Array || manifests.GetArrayLength() == 0)
        {
            throw fault.Because("it is a list that names no manifests");
        }

        if (manifests.GetArrayLength() > MaximumEntries)
        {
            throw fault.Because(string.Format(CultureInfo.InvariantCulture, "it names more than {0} manifests", MaximumEntries));
        }

        List<ManifestListEntry> entries = [];
        foreach (JsonElement entry in manifests.EnumerateArray())
        {
            entries.Add(ReadEntry(entry, $"manifest {entries.Count}", fault));
        }

        return new ManifestList(name, source, entries);
    }

    private static ManifestListEntry ReadEntry(JsonElement element, string which, ManifestFault fault)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw fault.Because($"{which} is not a JSON object");
        }

        string? text = ManifestJson.Text(element, "digest");
        if (!BlobDigest.TryParse(text, out BlobDigest? digest))
        {
            throw fault.Because($"the digest '{OutsideText.Of(text)}' of {which} is not 'sha256:' and 64 lowercase hexadecimal digits");
        }

        string mediaType = ManifestJson.Text(element, "mediaType") ?? string.Empty;
        return mediaType.Length == 0 || MediaTypes.IsManifest(mediaType)
            ? new ManifestListEntry(mediaType, digest, ManifestJson.ShownText(element, "runner"), ManifestJson.ShownText(element, "format"))
            : throw fault.Because($"the media type '{OutsideText.Of(mediaType)}' of {which} is not that of an image manifest");
    }
}
