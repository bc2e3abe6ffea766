using System.Diagnostics;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using PSModel.Core.Authentication;

namespace PSModel.Core.Registry;

/// <summary>One request: where, for what media types, which bytes, and what it sends. It makes a new message for each hop.</summary>
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

    /// <summary>What is asked: to give something, unless another is named.</summary>
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>What is sent; <see langword="null"/> for nothing.</summary>
    public HttpBody? Body { get; init; }

    /// <summary>What the answer may take beyond the usual, where the server has something to do before it.</summary>
    public TimeSpan AnswerTime { get; init; }

    /// <summary>Says of the address of a redirect whether it is answer enough, and not followed; <see langword="null"/> where none
    /// is.</summary>
    public Func<Uri, bool>? IsAnswer { get; init; }

    /// <summary>Whether it changes nothing: what asks for something may be led anywhere, what sends something only where the server says
    /// that the same is to be sent.</summary>
    public bool IsReading => Method == HttpMethod.Get || Method == HttpMethod.Head;

    /// <summary>Since when it has been wanted, by the clock of <see cref="Stopwatch"/>: it may have waited for its turn.</summary>
    public long Since { get; init; } = Stopwatch.GetTimestamp();

    /// <summary>What it is about, for those who watch requests.</summary>
    public override string ToString() => Body?.Range ?? $"{Range}";

    /// <summary>Makes the message of one hop.</summary>
    /// <param name="address">Where it goes.</param>
    /// <param name="authorization">What is shown; <see langword="null"/> for nothing.</param>
    /// <param name="patience">Told of how the body is taken.</param>
    public HttpRequestMessage ToMessage(Uri address, string? authorization, RequestPatience patience)
    {
        HttpRequestMessage message = new(Method, address) { Version = HttpVersion.Version11 };
        if (Body is not null)
        {
            message.Content = new BodyContent(Body, patience);
            message.Headers.ExpectContinue = Body.AsksFirst;
        }

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
