using System.Text.Json;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Finds every digest in the text of a manifest, of whatever schema: whoever removes blobs must not depend on knowing all kinds of
/// manifests, but leave what any of them may mean. Stateless and thread-safe.
/// </summary>
internal static class NamedDigests
{
    /// <summary>Adds the digests to those that are known, each with the media type beside it, or an empty one.</summary>
    /// <param name="json">UTF-8 JSON.</param>
    /// <param name="found">What is added to.</param>
    /// <returns>Whether it is a manifest or a list of them by its shape: an object with layers, a config or manifests.</returns>
    /// <exception cref="FormatException">It is no JSON object.</exception>
    public static bool Collect(byte[] json, IDictionary<BlobDigest, string> found)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("it is no JSON object");
            }

            Collect(root, string.Empty, found);
            return root.TryGetProperty("layers", out _) || root.TryGetProperty("manifests", out _) || root.TryGetProperty("config", out _);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what a string says that is no text.
            throw new FormatException("it is no JSON", e);
        }
    }

    private static void Collect(JsonElement element, string mediaType, IDictionary<BlobDigest, string> found)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                string own = element.TryGetProperty("mediaType", out JsonElement type) && type.ValueKind == JsonValueKind.String ? type.GetString()! : string.Empty;
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    Collect(property.Value, own, found);
                }

                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Collect(item, mediaType, found);
                }

                break;
            case JsonValueKind.String when BlobDigest.TryParse(element.GetString(), out BlobDigest? digest):
                found[digest] = found.TryGetValue(digest, out string? known) && known.Length > 0 ? known : mediaType;
                break;
        }
    }
}
