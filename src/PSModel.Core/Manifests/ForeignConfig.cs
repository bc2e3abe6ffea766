using System.Text.Json;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>What the config of a model for other runners says of its weights. Immutable.</summary>
/// <param name="Format"><c>gguf</c>, <c>safetensors</c>; empty where it does not tell.</param>
/// <param name="Family">The architecture, <c>llama</c> for instance; empty where it does not tell.</param>
/// <param name="Parameters">The number of parameters, as <c>8B</c>; empty where it does not tell.</param>
/// <param name="Quantization">As <c>Q4_K_M</c>; empty where it does not tell.</param>
internal sealed record ForeignConfig(string Format, string Family, string Parameters, string Quantization)
{
    /// <summary>Reads either kind.</summary>
    /// <exception cref="Faults.ModelFaultException"><see cref="Faults.ModelFault.ManifestInvalid"/> where it is no JSON object.</exception>
    public static ForeignConfig Read(byte[] bytes, ManifestFault fault) => ManifestJson.Read(bytes, fault, root =>
    {
        JsonElement config = Part(root, "config");
        JsonElement descriptor = Part(root, "descriptor");
        return new ForeignConfig(
            First(config, "format").ToLowerInvariant(),
            First(descriptor, "family") is { Length: > 0 } family ? family : First(config, "architecture"),
            First(config, "parameters", "paramSize"),
            First(config, "quantization"));
    });

    /// <summary>The config that Ollama reads: its <c>types/model/config.go</c>.</summary>
    /// <param name="layers">The layers of the model.</param>
    public byte[] WriteOllama(IReadOnlyList<BlobDigest> layers)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model_format", "gguf");
            json.WriteString("model_family", Family);
            json.WriteStartArray("model_families");
            if (Family.Length > 0)
            {
                json.WriteStringValue(Family);
            }

            json.WriteEndArray();
            json.WriteString("model_type", Parameters);
            json.WriteString("file_type", Quantization);
            json.WriteString("architecture", "amd64");
            json.WriteString("os", "linux");
            json.WriteStartObject("rootfs");
            json.WriteString("type", "layers");
            json.WriteStartArray("diff_ids");
            foreach (BlobDigest layer in layers)
            {
                json.WriteStringValue(layer.ToString());
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static JsonElement Part(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement part) && part.ValueKind == JsonValueKind.Object ? part : default;

    private static string First(JsonElement part, params string[] names) =>
        part.ValueKind == JsonValueKind.Object ? names.Select(name => ManifestJson.ShownText(part, name)).FirstOrDefault(text => text is not null) ?? string.Empty : string.Empty;
}
