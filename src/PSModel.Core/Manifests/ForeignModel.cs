using System.Text;
using System.Text.Json;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>
/// Models that were packed for Docker's model runner, or as CNCF's ModelPack has it. Where their weights are one GGUF file as it is, the
/// blob is that of an Ollama model: a config and a manifest that Ollama reads are made beside it. The manifest says from which one it
/// was made, and holds the config's text, so that whoever has the manifest can make the config again. Stateless and thread-safe.
/// </summary>
/// <remarks>Sources: Docker's <c>model-distribution</c> (its media types and its config), and <c>docs/config.md</c> and
/// <c>specs-go/v1/mediatype.go</c> of CNCF's <c>model-spec</c>.</remarks>
internal static class ForeignModel
{
    /// <summary>The annotation with the digest of the manifest that a registry served.</summary>
    private const string OriginDigest = "org.psmodel.origin.digest";

    /// <summary>What the annotations begin with that hold the texts of blobs that were made; the kind of the blob follows.</summary>
    private const string MadeText = "org.psmodel.";

    /// <summary>The longest config, or template, that is looked into, in bytes.</summary>
    public const int LongestText = 1024 * 1024;

    private const string Config = "config";
    private const string Template = "template";
    private const string Parameters = "params";
    private const string JinjaTemplate = "application/vnd.docker.ai.chat.template.jinja";

    private const string DockerConfig = "application/vnd.docker.ai.model.config.";
    private const string PackConfig = "application/vnd.cncf.model.config.";
    private const string PackWeight = "application/vnd.cncf.model.weight.";
    private const string PackRaw = PackWeight + "v1.raw";
    private const string PackDocument = "application/vnd.cncf.model.doc.v1.raw";
    private const string PackPath = "org.cncf.model.filepath";
    private const string Gguf = "gguf";

    private static readonly string[] Keys = [OriginDigest, MadeText + Config, MadeText + Template, MadeText + Parameters];

    private static readonly string[] GgufTypes = ["application/vnd.docker.ai.gguf.v3", PackWeight + "v1.gguf"];

    /// <summary>Whether a manifest is one of these.</summary>
    public static bool Is(Manifest manifest) =>
        manifest.Config is { } config && (config.MediaType.StartsWith(DockerConfig, StringComparison.Ordinal) || config.MediaType.StartsWith(PackConfig, StringComparison.Ordinal));

    /// <summary>Makes the manifest for Ollama.</summary>
    /// <param name="manifest">The one that the registry served.</param>
    /// <param name="read">Reads a blob of <see cref="LongestText"/> at most, with its digest checked.</param>
    /// <exception cref="Faults.ModelFaultException"><see cref="Faults.ModelFault.ManifestInvalid"/> where the weights are no GGUF file, or
    /// several.</exception>
    public static Manifest Convert(Manifest manifest, Func<Layer, byte[]> read)
    {
        byte[] bytes = manifest.GetBytes();
        ManifestFault fault = new(manifest.Name, manifest.Source, bytes);
        // One that is longer tells nothing that is looked for.
        ForeignConfig facts = ForeignConfig.Read(manifest.Config!.Size > LongestText ? Encoding.UTF8.GetBytes("{}") : read(manifest.Config), fault);
        IReadOnlyList<string?> paths = ManifestJson.Read(bytes, fault, PathsOf);
        List<(Layer Layer, string Kind)> kept = [];
        foreach ((Layer layer, string? path) in manifest.Layers.Zip(paths, (layer, path) => (layer, path)))
        {
            if (KindOf(layer, path, facts, fault) is { } kind)
            {
                kept.Add((layer, kind));
            }
        }

        int models = kept.Count(layer => layer.Kind == "model");
        if (models != 1)
        {
            throw fault.Because(models == 0
                ? $"it names no weights that Ollama reads, which are one GGUF file: its layers are of {string.Join(", ", manifest.Layers.Select(layer => $"'{layer.MediaType}'").Distinct())}"
                : $"its weights are {models} GGUF files, and Ollama reads one");
        }

        List<(string Kind, byte[] Content)> made = [];
        if (manifest.Layers.FirstOrDefault(layer => layer.MediaType == JinjaTemplate && layer.Size <= LongestText) is { } jinja
            && ChatTemplate.TryFind(Encoding.UTF8.GetString(read(jinja))) is { } template)
        {
            made.Add((Template, template.WriteText()));
            made.Add((Parameters, template.WriteParameters()));
        }

        kept.AddRange(made.Select(each => (new Layer(BlobDigest.Of(each.Content), each.Content.Length, string.Empty), each.Kind)));
        made.Add((Config, facts.WriteOllama([.. kept.Select(layer => layer.Layer.Digest)])));
        return ManifestReader.Read(manifest.Name, manifest.Source, Write(manifest, kept, made)).MadeOf(bytes);
    }

    /// <summary>The content of a blob that was made with its manifest; <see langword="null"/> for one that a registry has.</summary>
    public static byte[]? TryContentOf(Manifest manifest, Layer layer)
    {
        if (layer.Size > LongestText)
        {
            return null;
        }

        IEnumerable<byte[]> made = manifest.Notes.Where(note => note.Key != OriginDigest).Select(note => Encoding.UTF8.GetBytes(note.Value));
        return made.FirstOrDefault(content => content.Length == layer.Size && BlobDigest.Of(content) == layer.Digest);
    }

    /// <summary>Whether a manifest was made here of one whose template is not known: Ollama completes texts by it, and does not chat.</summary>
    public static bool LacksTemplate(Manifest manifest) => TryOriginOf(manifest) is not null && !manifest.Layers.Any(layer => layer.Kind == "Template");

    /// <summary>The digest of the manifest that this one says it was made of; <see langword="null"/> where it says nothing.</summary>
    public static BlobDigest? TryOriginOf(Manifest manifest) => manifest.Notes.TryGetValue(OriginDigest, out string? text) && BlobDigest.TryParse(text, out BlobDigest? digest) ? digest : null;

    /// <summary>Reads what a manifest says of how it was made, once for all of its blobs.</summary>
    /// <param name="root">The manifest's JSON.</param>
    public static IReadOnlyDictionary<string, string> ReadNotes(JsonElement root)
    {
        Dictionary<string, string> notes = [];
        if (root.TryGetProperty("annotations", out JsonElement annotations) && annotations.ValueKind == JsonValueKind.Object)
        {
            foreach (string key in Keys)
            {
                if (ManifestJson.Text(annotations, key) is { } text)
                {
                    notes[key] = text;
                }
            }
        }

        return notes;
    }

    private static string? KindOf(Layer layer, string? path, ForeignConfig facts, ManifestFault fault)
    {
        string type = layer.MediaType;
        bool isGguf = path?.EndsWith($".{Gguf}", StringComparison.OrdinalIgnoreCase) ?? facts.Format == Gguf;
        if (GgufTypes.Contains(type) || (type == PackRaw && isGguf))
        {
            return "model";
        }

        if (type.StartsWith(PackWeight, StringComparison.Ordinal) && !type.Contains(".config."))
        {
            string what = type == PackRaw ? $"the file '{Faults.OutsideText.Of(path)}' of the format '{facts.Format}'" : $"'{type}'";
            throw fault.Because($"its weights are {what}, and Ollama reads a GGUF file as it is");
        }

        return type == "application/vnd.docker.ai.mmproj" ? "projector"
            : type == "application/vnd.docker.ai.license" || (type == PackDocument && IsLicense(path)) ? "license"
            : null;
    }

    private static bool IsLicense(string? path) =>
        path?.Substring(path.LastIndexOf('/') + 1).StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase) == true;

    private static List<string?> PathsOf(JsonElement root) => !root.TryGetProperty("layers", out JsonElement layers) || layers.ValueKind != JsonValueKind.Array
        ? []
        : [.. layers.EnumerateArray().Select(layer => layer.TryGetProperty("annotations", out JsonElement annotations) && annotations.ValueKind == JsonValueKind.Object ? ManifestJson.Text(annotations, PackPath) : null)];

    private static byte[] Write(Manifest manifest, List<(Layer Layer, string Kind)> layers, List<(string Kind, byte[] Content)> made)
    {
        byte[] config = made.Single(each => each.Kind == Config).Content;
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", ManifestReader.SchemaVersion);
            json.WriteString("mediaType", MediaTypes.DockerManifest);
            json.WriteStartObject("config");
            WriteDescriptor(json, MediaTypes.DockerConfig, BlobDigest.Of(config), config.Length);
            json.WriteEndObject();
            json.WriteStartArray("layers");
            foreach ((Layer layer, string kind) in layers)
            {
                json.WriteStartObject();
                WriteDescriptor(json, MediaTypes.OllamaPrefix + kind, layer.Digest, layer.Size);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("annotations");
            json.WriteString(OriginDigest, manifest.Digest.ToString());
            foreach ((string kind, byte[] content) in made)
            {
                json.WriteString(MadeText + kind, Encoding.UTF8.GetString(content));
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteDescriptor(Utf8JsonWriter json, string mediaType, BlobDigest digest, long size)
    {
        json.WriteString("mediaType", mediaType);
        json.WriteString("digest", digest.ToString());
        json.WriteNumber("size", size);
    }
}
