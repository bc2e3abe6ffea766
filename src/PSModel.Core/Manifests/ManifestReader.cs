using System.Globalization;
using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>Turns a manifest's bytes into a checked <see cref="Manifest"/>. Stateless and thread-safe.</summary>
public static class ManifestReader
{
    /// <summary>The longest manifest that is read: 4 MiB, the bound that OCI registries keep themselves.</summary>
    public const int MaximumBytes = 4 * 1024 * 1024;

    /// <summary>The most layers that a manifest may name.</summary>
    public const int MaximumLayers = 10_000;

    /// <summary>The only version of the schema that is in use.</summary>
    public const int SchemaVersion = 2;

    /// <summary>Reads and checks a manifest.</summary>
    /// <param name="name">The model it is for.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <param name="bytes">UTF-8 JSON, kept as it is.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestInvalid"/>, with the reason.</exception>
    public static Manifest Read(ModelName name, string source, byte[] bytes)
    {
        ManifestFault fault = new(name, source, bytes);
        return ManifestJson.Read(bytes, fault, root => Read(name, source, bytes, root, fault));
    }

    private static Manifest Read(ModelName name, string source, byte[] bytes, JsonElement root, ManifestFault fault)
    {
        string? mediaType = ManifestJson.Text(root, "mediaType");
        if (mediaType == MediaTypes.OllamaList)
        {
            throw fault.Because("it is a list of manifests, and a single one belongs there");
        }

        if (root.TryGetProperty("manifests", out _) || (mediaType is not null && MediaTypes.IsIndex(mediaType)))
        {
            throw fault.Because("it is an index of manifests for several platforms; name the tag of a single model");
        }

        if (mediaType is not null && !MediaTypes.IsManifest(mediaType))
        {
            throw fault.Because($"its media type '{OutsideText.Of(mediaType)}' is not that of an image manifest");
        }

        if (!root.TryGetProperty("schemaVersion", out JsonElement version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number) || number != SchemaVersion)
        {
            throw fault.Because($"its schemaVersion is not {SchemaVersion}");
        }

        Layer? config = ReadConfig(root, fault);
        List<Layer> read = ReadLayers(root, isNeeded: !HasConfig(root), fault);
        CheckSizes(config is null ? read : read.Append(config), fault);
        Manifest manifest = new(name, source, (byte[])bytes.Clone(), BlobDigest.Of(bytes), mediaType ?? MediaTypes.OciManifest, config, read) { Notes = ForeignModel.ReadNotes(root) };
        return manifest.For(ManifestJson.Runner(root), ManifestJson.ShownText(root, "format"));
    }

    /// <summary>A model that runs elsewhere has a config and no layers: Ollama writes null for the list then, or leaves it out.</summary>
    private static List<Layer> ReadLayers(JsonElement root, bool isNeeded, ManifestFault fault)
    {
        bool isThere = root.TryGetProperty("layers", out JsonElement layers) && layers.ValueKind != JsonValueKind.Null;
        if (isThere ? layers.ValueKind != JsonValueKind.Array : isNeeded)
        {
            throw fault.Because("it has no list of layers");
        }

        if (!isThere)
        {
            return [];
        }

        if (layers.GetArrayLength() > MaximumLayers)
        {
            throw fault.Because(string.Format(CultureInfo.InvariantCulture, "it names more than {0} layers", MaximumLayers));
        }

        List<Layer> read = [];
        foreach (JsonElement layer in layers.EnumerateArray())
        {
            read.Add(ReadLayer(layer, $"layer {read.Count}", fault));
        }

        return read;
    }

    /// <summary>Also where it is an empty one.</summary>
    private static bool HasConfig(JsonElement root) => root.TryGetProperty("config", out JsonElement config) && config.ValueKind == JsonValueKind.Object;

    private static Layer? ReadConfig(JsonElement root, ManifestFault fault)
    {
        if (!root.TryGetProperty("config", out JsonElement config) || config.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        // Ollama writes an empty digest where a model has no config.
        bool isEmpty = config.ValueKind == JsonValueKind.Object && ManifestJson.Text(config, "digest") is "";
        return isEmpty ? null : ReadLayer(config, "the config", fault);
    }

    private static Layer ReadLayer(JsonElement element, string which, ManifestFault fault)
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

        if (!element.TryGetProperty("size", out JsonElement size)
            || size.ValueKind != JsonValueKind.Number || !size.TryGetInt64(out long bytes) || bytes < 0)
        {
            throw fault.Because($"the size of {which} is not a whole number of bytes");
        }

        string mediaType = ManifestJson.Text(element, "mediaType") ?? string.Empty;
        return MediaTypes.IsWellFormed(mediaType)
            ? new Layer(digest, bytes, mediaType, ManifestJson.ShownText(element, "name"))
            : throw fault.Because($"the media type '{OutsideText.Of(mediaType)}' of {which} is none");
    }

    private static void CheckSizes(IEnumerable<Layer> all, ManifestFault fault)
    {
        Dictionary<BlobDigest, long> sizes = [];
        long sum = 0;
        foreach (Layer layer in all)
        {
            if (sizes.TryGetValue(layer.Digest, out long known) && known != layer.Size)
            {
                throw fault.Because($"it gives two sizes for {layer.Digest}");
            }

            sizes[layer.Digest] = layer.Size;
            if (layer.Size > long.MaxValue - sum)
            {
                throw fault.Because("its sizes add up to more than any disk holds");
            }

            sum += layer.Size;
        }
    }
}
