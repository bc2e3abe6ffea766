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

    /// <summary>The index with an entry for a manifest, and one for its other form, in place of those that the model had.</summary>
    /// <param name="index">The index as it is; <see langword="null"/> where there is none.</param>
    /// <param name="manifest">The manifest.</param>
    /// <param name="form">Its other form, if it has one.</param>
    /// <exception cref="IOException">It is no index.</exception>
    public static byte[] With(byte[]? index, Manifest manifest, OciForm? form)
    {
        JsonObject root = Read(index);
        JsonArray entries = (JsonArray)root[Entries]!;
        string name = NameOf(manifest.Name);
        JsonNode[] replaced = [.. entries.OfType<JsonObject>().Where(entry => IsOf(entry, name))];
        int place = replaced.Length == 0 ? entries.Count : entries.IndexOf(replaced[0]);
        Array.ForEach(replaced, entry => entries.Remove(entry));
        string reference = ReferenceOf(manifest.Name, entries);
        entries.Insert(place, (JsonNode)Entry(manifest.MediaType, manifest.Digest, manifest.GetBytes().Length, reference, LayoutNames.ImageName, name));
        if (form is not null)
        {
            // Before the manifest itself: of two with one reference oras takes the last.
            entries.Insert(place, (JsonNode)Entry(OciForm.MediaType, form.Digest, form.Bytes.Length, reference, LayoutNames.FormOf, name));
        }

        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text, Indented))
        {
            root.WriteTo(writer);
        }

        return text.ToArray();
    }

    /// <summary>Whether the index has the model with this very manifest, and its other form.</summary>
    /// <exception cref="IOException">It is no index.</exception>
    public static bool Has(byte[]? index, Manifest manifest, OciForm? form)
    {
        if (index is null)
        {
            return false;
        }

        JsonObject[] entries = [.. ((JsonArray)Read(index)[Entries]!).OfType<JsonObject>()];
        string name = NameOf(manifest.Name);
        return HasEntry(entries, LayoutNames.ImageName, name, manifest.Digest) && (form is null || HasEntry(entries, LayoutNames.FormOf, name, form.Digest));
    }

    private static bool HasEntry(JsonObject[] entries, string annotation, string name, BlobDigest digest) => entries.Any(entry =>
        TextOf(entry, annotation) == name && entry["digest"] is JsonValue value && value.TryGetValue(out string? text) && text == digest.ToString());

    private static JsonObject Entry(string mediaType, BlobDigest digest, int size, string reference, string annotation, string name) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = digest.ToString(),
        ["size"] = size,
        [Annotations] = new JsonObject { [LayoutNames.Reference] = reference, [annotation] = name },
    };

    private static bool IsOf(JsonObject entry, string name) => TextOf(entry, LayoutNames.ImageName) == name || TextOf(entry, LayoutNames.FormOf) == name;

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
    private static string ReferenceOf(ModelName name, JsonArray others)
    {
        HashSet<string?> taken = [.. others.OfType<JsonObject>().Select(entry => TextOf(entry, LayoutNames.Reference))];
        return new[] { name.Tag, name.Shortest }.FirstOrDefault(text => !taken.Contains(text)) ?? NameOf(name);
    }

    private static string NameOf(ModelName name) => $"{name.Host}/{name.Namespace}/{name.Model}:{name.Tag}";

    private static string? TextOf(JsonObject entry, string annotation) =>
        entry[Annotations] is JsonObject annotations && annotations[annotation] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
