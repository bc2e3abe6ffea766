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

        // What is no manifest of a model is for others.
        List<ManifestListEntry> entries = [];
        int index = 0;
        foreach (JsonElement entry in manifests.EnumerateArray())
        {
            ManifestListEntry read = ReadEntry(entry, $"manifest {index++}", fault);
            if (read.MediaType.Length == 0 || MediaTypes.IsManifest(read.MediaType))
            {
                entries.Add(read);
            }
        }

        return entries.Count > 0 ? new ManifestList(name, source, entries) : throw fault.Because("it is a list that names no manifests of a kind that is known");
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

        string mediaType = OutsideText.Of(ManifestJson.Text(element, "mediaType"));
        return new ManifestListEntry(mediaType, digest, ManifestJson.Runner(element), ManifestJson.ShownText(element, "format"));
    }
}
