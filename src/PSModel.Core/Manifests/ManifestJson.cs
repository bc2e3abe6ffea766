using System.Text.Json;
using PSModel.Core.Faults;

namespace PSModel.Core.Manifests;

/// <summary>Parses the text of a manifest, or of a list of them, within bounds. Stateless and thread-safe.</summary>
internal static class ManifestJson
{
    /// <summary>Reads what the text says.</summary>
    /// <param name="bytes">UTF-8 JSON.</param>
    /// <param name="fault">Makes the fault of a text that is none.</param>
    /// <param name="read">Given the object at the root.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestInvalid"/>, with the reason.</exception>
    public static T Read<T>(byte[] bytes, ManifestFault fault, Func<JsonElement, T> read)
    {
        if (bytes.Length <= ManifestReader.MaximumBytes && HasControls(bytes))
        {
            throw fault.Because("it holds control characters (U+007F to U+009F), which no terminal should be given");
        }

        return ReadObject(bytes, fault.Because, read);
    }

    /// <summary>Reads what a text says that is not shown as it is.</summary>
    /// <param name="bytes">UTF-8 JSON, of <see cref="ManifestReader.MaximumBytes"/> at most.</param>
    /// <param name="because">Makes the fault of a text that is none, with the reason.</param>
    /// <param name="read">Given the object at the root.</param>
    /// <exception cref="ModelFaultException">The fault that was made.</exception>
    public static T ReadObject<T>(byte[] bytes, Func<string, Exception?, ModelFaultException> because, Func<JsonElement, T> read)
    {
        if (bytes.Length > ManifestReader.MaximumBytes)
        {
            throw because($"it is longer than {ByteText.Of(ManifestReader.MaximumBytes)}", null);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw because("it is not a JSON object", null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what a string says that is no text: half of a surrogate pair, or not UTF-8.
            throw because(LooksLikeMarkup(bytes) ? "it is a web page, not JSON" : "it is not JSON", e);
        }
    }

    /// <summary>The text of a property; <see langword="null"/> where there is none.</summary>
    public static string? Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A text that is fit to be shown; <see langword="null"/> where there is none, or an empty one.</summary>
    public static string? ShownText(JsonElement element, string property) =>
        Text(element, property) is { Length: > 0 } text ? OutsideText.Of(text) : null;

    /// <summary>What runs a model, in the letters of <see cref="ManifestList.Runners"/>, as Ollama reads it; <see langword="null"/>
    /// where that is not told.</summary>
    public static string? Runner(JsonElement element) => ShownText(element, "runner")?.Trim().ToLowerInvariant() is { Length: > 0 } runner ? runner : null;

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
}
