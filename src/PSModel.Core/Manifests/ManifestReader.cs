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
        ManifestInvalid invalid = new(name, source);
        if (bytes.Length > MaximumBytes)
        {
            throw invalid.Because($"it is longer than {ByteText.Of(MaximumBytes)}");
        }

        if (HasControls(bytes))
        {
            throw invalid.Because("it holds control characters (U+007F to U+009F), which no terminal should be given");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            return Read(name, source, bytes, document.RootElement, invalid);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what a string says that is no text: half of a surrogate pair, or not UTF-8.
            throw invalid.Because(LooksLikeMarkup(bytes) ? "it is a web page, not JSON" : "it is not JSON", e);
        }
    }

    private static Manifest Read(ModelName name, string source, byte[] bytes, JsonElement root, ManifestInvalid invalid)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw invalid.Because("it is not a JSON object");
        }

        string? mediaType = OptionalString(root, "mediaType");
        if (root.TryGetProperty("manifests", out _) || (mediaType is not null && MediaTypes.IsIndex(mediaType)))
        {
            throw invalid.Because("it is an index of manifests for several platforms; name the tag of a single model");
        }

        if (mediaType is not null && !MediaTypes.IsManifest(mediaType))
        {
            throw invalid.Because($"its media type '{OutsideText.Of(mediaType)}' is not that of an image manifest");
        }

        if (!root.TryGetProperty("schemaVersion", out JsonElement version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number) || number != SchemaVersion)
        {
            throw invalid.Because($"its schemaVersion is not {SchemaVersion}");
        }

        Layer? config = ReadConfig(root, invalid);
        List<Layer> read = ReadLayers(root, isNeeded: config is null, invalid);
        CheckSizes(config is null ? read : read.Append(config), invalid);
        return new Manifest(name, source, (byte[])bytes.Clone(), BlobDigest.Of(bytes), mediaType ?? MediaTypes.OciManifest, config, read);
    }

    /// <summary>A model that runs elsewhere has a config and no layers: Ollama writes null for the list then, or leaves it out.</summary>
    private static List<Layer> ReadLayers(JsonElement root, bool isNeeded, ManifestInvalid invalid)
    {
        bool isThere = root.TryGetProperty("layers", out JsonElement layers) && layers.ValueKind != JsonValueKind.Null;
        if (isThere ? layers.ValueKind != JsonValueKind.Array : isNeeded)
        {
            throw invalid.Because("it has no list of layers");
        }

        if (!isThere)
        {
            return [];
        }

        if (layers.GetArrayLength() > MaximumLayers)
        {
            throw invalid.Because(string.Format(CultureInfo.InvariantCulture, "it names more than {0} layers", MaximumLayers));
        }

        List<Layer> read = [];
        foreach (JsonElement layer in layers.EnumerateArray())
        {
            read.Add(ReadLayer(layer, $"layer {read.Count}", invalid));
        }

        return read;
    }

    private static Layer? ReadConfig(JsonElement root, ManifestInvalid invalid)
    {
        if (!root.TryGetProperty("config", out JsonElement config) || config.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        // Ollama writes an empty digest where a model has no config.
        bool isEmpty = config.ValueKind == JsonValueKind.Object && OptionalString(config, "digest") is "";
        return isEmpty ? null : ReadLayer(config, "the config", invalid);
    }

    private static Layer ReadLayer(JsonElement element, string which, ManifestInvalid invalid)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw invalid.Because($"{which} is not a JSON object");
        }

        string? text = OptionalString(element, "digest");
        if (!BlobDigest.TryParse(text, out BlobDigest? digest))
        {
            throw invalid.Because($"the digest '{OutsideText.Of(text)}' of {which} is not 'sha256:' and 64 lowercase hexadecimal digits");
        }

        if (!element.TryGetProperty("size", out JsonElement size)
            || size.ValueKind != JsonValueKind.Number || !size.TryGetInt64(out long bytes) || bytes < 0)
        {
            throw invalid.Because($"the size of {which} is not a whole number of bytes");
        }

        string mediaType = OptionalString(element, "mediaType") ?? string.Empty;
        return MediaTypes.IsWellFormed(mediaType)
            ? new Layer(digest, bytes, mediaType, OptionalString(element, "name") is { Length: > 0 } name ? OutsideText.Of(name) : null)
            : throw invalid.Because($"the media type '{OutsideText.Of(mediaType)}' of {which} is none");
    }

    private static void CheckSizes(IEnumerable<Layer> all, ManifestInvalid invalid)
    {
        Dictionary<BlobDigest, long> sizes = [];
        long sum = 0;
        foreach (Layer layer in all)
        {
            if (sizes.TryGetValue(layer.Digest, out long known) && known != layer.Size)
            {
                throw invalid.Because($"it gives two sizes for {layer.Digest}");
            }

            sizes[layer.Digest] = layer.Size;
            if (layer.Size > long.MaxValue - sum)
            {
                throw invalid.Because("its sizes add up to more than any disk holds");
            }

            sum += layer.Size;
        }
    }

    private static string? OptionalString(JsonElement element, string property) =>
        element.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>JSON lets these stand in a string as they are; the others it does not, so that the text can be shown as it is.</summary>
    private static bool HasControls(byte[] utf8)
    {
        for (int i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] == 0x7F || (utf8[i] is >= 0x80 and < 0xA0 && i > 0 && utf8[i - 1] == 0xC2))
            {
                return true;
            }
        }

        return false;
    }

    private static bool LooksLikeMarkup(byte[] bytes) =>
        Array.Find(bytes, b => b is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) == (byte)'<';

    /// <summary>Builds this reader's one fault.</summary>
    private sealed class ManifestInvalid(ModelName name, string source)
    {
        public ModelFaultException Because(string reason, Exception? inner = null) => new(
            ModelFault.ManifestInvalid,
            $"The manifest of {name.Shortest} at {source} cannot be used: {reason}.",
            new FaultFacts { Name = name.Shortest, Path = source },
            inner);
    }
}
