using System.Diagnostics;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using PSModel.Core.Authentication;

namespace PSModel.Core.Registry;

/// <summary>One GET: where, for what media types, which bytes. Immutable; it makes a new message for each hop.</summary>
internal sealed class HttpQuery
{
    /// <summary>Registries count who asks, and Hugging Face refuses old programs of others by it.</summary>
    public static readonly string UserAgent = $"PSModel/{typeof(HttpQuery).Assembly.GetName().Version!.ToString(3)}";

    /// <param name="address">Where to.</param>
    /// <param name="accept">For what media types.</param>
    /// <param name="range">Which bytes; <see langword="null"/> for all.</param>
    /// <param name="registry">The registry that is asked, to which credentials may be shown; without it none are.</param>
    public HttpQuery(Uri address, string accept, ByteRange? range = null, RegistryAddress? registry = null)
    {
        Registry = registry;
        Address = address;
        Accept = accept;
        Range = range;
    }

    public Uri Address { get; }

    public RegistryAddress? Registry { get; }

    public string Accept { get; }

    public ByteRange? Range { get; }

    /// <summary>Since when it has been wanted, by the clock of <see cref="Stopwatch"/>: it may have waited for its turn.</summary>
    public long Since { get; init; } = Stopwatch.GetTimestamp();

    public HttpRequestMessage ToMessage(Uri address, string? authorization)
    {
        HttpRequestMessage message = new(HttpMethod.Get, address) { Version = HttpVersion.Version11 };
        message.Headers.TryAddWithoutValidation("Accept", Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (authorization is not null)
        {
            message.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        // A proxy that compresses what it passes on answers 200 to a Range request.
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (Range is { } range)
        {
            message.Headers.Range = new RangeHeaderValue(range.Start, range.End - 1);
        }

        return message;
    }
}
