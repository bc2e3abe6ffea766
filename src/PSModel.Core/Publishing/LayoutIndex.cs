using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PSModel.Core.Folders;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Publishing;

/// <summary>The text of a layout's <c>index.json</c>, in which each model has an entry; what others wrote there stays. Stateless and
/// thread-safe.</summary>
/// <remarks>The OCI image specification, image-index.md and annotations.md; the name is containerd's, whose tools read it so.</remarks>
internal static class LayoutIndex
{
    private const string IndexType = "application/vnd.oci.image.index.v1+json";
    private const string Entries = "manifests";
    private const string Annotations = "annotations";

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The index with an entry for a manifest, in place of the one that the model had.</summary>
    /// <param name="index">The index as it is; <see langword="null"/> where there is none.</param>
    /// <param name="manifest">The manifest.</param>
    /// <exception cref="IOException">It is no index.</exception>
    public static byte[] With(byte[]? index, Manifest manifest)
    {
        JsonObject root = Read(index);
        JsonArray entries = (JsonArray)root[Entries]!;
        string name = NameOf(manifest.Name);
        List<JsonObject> others = [.. entries.OfType<JsonObject>().Where(entry => TextOf(entry, LayoutNames.ImageName) != name)];
        JsonNode? replaced = entries.FirstOrDefault(entry => entry is JsonObject known && TextOf(known, LayoutNames.ImageName) == name);
        JsonObject added = new()
        {
            ["mediaType"] = manifest.MediaType,
            ["digest"] = manifest.Digest.ToString(),
            ["size"] = manifest.GetBytes().Length,
            [Annotations] = new JsonObject
            {
                [LayoutNames.Reference] = ReferenceOf(manifest.Name, others),
                [LayoutNames.ImageName] = name,
            },
        };
        if (replaced is null)
        {
            entries.Add((JsonNode)added);
        }
        else
        {
            entries[entries.IndexOf(replaced)] = added;
        }

        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text, Indented))
        {
            root.WriteTo(writer);
        }

        return text.ToArray();
    }

    /// <summary>Whether the index has the model with this very manifest.</summary>
    /// <exception cref="IOException">It is no index.</exception>
    public static bool Has(byte[]? index, Manifest manifest) => index is not null
        && ((JsonArray)Read(index)[Entries]!).OfType<JsonObject>().Any(entry =>
            TextOf(entry, LayoutNames.ImageName) == NameOf(manifest.Name) && entry["digest"] is JsonValue digest && digest.TryGetValue(out string? text) && text == manifest.Digest.ToString());

    private static JsonObject Read(byte[]? index)
    {
        if (index is null)
        {
            return new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = IndexType, [Entries] = new JsonArray() };
        }

        try
        {
            if (JsonNode.Parse(index) is JsonObject root && root[Entries] is JsonArray)
            {
                return root;
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // It is told of below.
        }

        throw new IOException("It is no index of an OCI image layout, and is left as it is.");
    }

    /// <summary>The first of its names that no other entry has: by this one tools ask for it.</summary>
    private static string ReferenceOf(ModelName name, List<JsonObject> others)
    {
        HashSet<string?> taken = [.. others.Select(entry => TextOf(entry, LayoutNames.Reference))];
        return new[] { name.Tag, name.Shortest }.FirstOrDefault(text => !taken.Contains(text)) ?? NameOf(name);
    }

    private static string NameOf(ModelName name) => $"{name.Host}/{name.Namespace}/{name.Model}:{name.Tag}";

    private static string? TextOf(JsonObject entry, string annotation) =>
        entry[Annotations] is JsonObject annotations && annotations[annotation] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
