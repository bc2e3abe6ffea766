using System.Net.Http;
using System.Text.Json;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>A page of the tags that a registry lists for a repository. Immutable.</summary>
/// <param name="Tags">The tags, in the registry's order; what could be no tag of a model is left out.</param>
/// <param name="Next">Where the next page is; <see langword="null"/> after the last.</param>
/// <remarks>The form is that of the distribution specification, <c>tags/list</c>; the next page is in the header <c>Link</c>, RFC 8288.</remarks>
internal sealed record TagList(IReadOnlyList<string> Tags, Uri? Next)
{
    /// <summary>Reads a page.</summary>
    /// <param name="name">The model, of any tag.</param>
    /// <param name="body">The body of the answer.</param>
    /// <param name="response">The answer.</param>
    /// <param name="asked">The address that was asked: the next page is on the same host.</param>
    /// <returns><see langword="null"/> where the body is something else.</returns>
    public static TagList? TryRead(ModelName name, byte[] body, HttpResponseMessage response, Uri asked)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (!document.RootElement.TryGetProperty("tags", out JsonElement tags))
            {
                return null;
            }

            // A repository without tags has null for them.
            IEnumerable<string?> texts = tags.ValueKind == JsonValueKind.Array ? tags.EnumerateArray().Select(tag => tag.GetString()) : [];
            return new TagList([.. texts.Where(tag => tag is not null && ModelName.TryParse($"{name.Model}:{tag}", out ModelName? read, out _) && read.Pin is null && read.Tag == tag).Select(tag => tag!)], NextOf(response, asked));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static Uri? NextOf(HttpResponseMessage response, Uri asked)
    {
        string link = response.Headers.TryGetValues("Link", out IEnumerable<string>? links) ? string.Join(",", links) : string.Empty;
        int end = link.IndexOf('>');
        string relation = end < 0 ? string.Empty : link.Substring(end + 1).Replace(" ", string.Empty).Replace("\"", string.Empty);
        bool isNext = link.Length > 0 && link[0] == '<' && relation.StartsWith(";rel=next", StringComparison.OrdinalIgnoreCase);
        return isNext && Uri.TryCreate(asked, link.Substring(1, end - 1), out Uri? next) && next.Authority == asked.Authority && next.Scheme == asked.Scheme ? next : null;
    }
}
