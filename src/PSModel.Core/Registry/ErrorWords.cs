using System.Text.Json;

namespace PSModel.Core.Registry;

/// <summary>Finds in the body of an error what it says in words. Stateless and thread-safe.</summary>
/// <remarks>The distribution specification has <c>errors[].code</c> and <c>message</c>, Hugging Face <c>error</c>.</remarks>
internal static class ErrorWords
{
    /// <summary>Stands for a page that says nothing in one line.</summary>
    public const string WebPage = "<html>";

    /// <summary>The words; <see cref="WebPage"/> for one, and the text itself where it has no form that is known.</summary>
    public static string Of(string body)
    {
        string text = body.Trim();
        if (text.Length > 0 && text[0] == '<' && !text.StartsWith("<?xml", StringComparison.Ordinal))
        {
            return WebPage;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? OfObject(document.RootElement) ?? text : text;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return text;
        }
    }

    private static string? OfObject(JsonElement root)
    {
        if (!root.TryGetProperty("errors", out JsonElement errors) || errors.ValueKind != JsonValueKind.Array)
        {
            return Text(root, "error") ?? Text(root, "message");
        }

        string words = string.Join("; ", errors.EnumerateArray()
            .Where(error => error.ValueKind == JsonValueKind.Object)
            .Select(error => string.Join(": ", new[] { Text(error, "code"), Text(error, "message") }.Where(part => part is not null))));
        return words.Length > 0 ? words : null;
    }

    private static string? Text(JsonElement element, string property) =>
        element.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
