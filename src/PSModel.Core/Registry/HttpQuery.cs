using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;

namespace PSModel.Core.Registry;

/// <summary>One GET: where, for what media types, which bytes. Immutable; it makes a new message for each hop.</summary>
internal sealed class HttpQuery
{
    private static readonly string UserAgent = $"PSModel/{typeof(HttpQuery).Assembly.GetName().Version!.ToString(3)}";

    public HttpQuery(Uri address, string accept, ByteRange? range = null)
    {
        Address = address;
        Accept = accept;
        Range = range;
    }

    public Uri Address { get; }

    public string Accept { get; }

    public ByteRange? Range { get; }

    public HttpRequestMessage ToMessage(Uri address)
    {
        HttpRequestMessage message = new(HttpMethod.Get, address) { Version = HttpVersion.Version11 };
        message.Headers.TryAddWithoutValidation("Accept", Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", UserAgent);

        // A proxy that compresses what it passes on answers 200 to a Range request.
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (Range is { } range)
        {
            message.Headers.Range = new RangeHeaderValue(range.Start, range.End - 1);
        }

        return message;
    }
}
