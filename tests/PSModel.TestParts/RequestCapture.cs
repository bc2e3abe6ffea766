using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit.Sdk;

namespace PSModel.TestParts;

/// <summary>
/// Sees every request of every test in the process, with its headers, before it is sent, and lets none go that shows a secret on plain
/// http to another machine, or to a host that another one redirected to. The test that sent it fails. Started with the process.
/// Thread-safe.
/// </summary>
/// <remarks>What HttpClient tells of itself is documented as <c>HttpHandlerDiagnosticListener</c>.</remarks>
public sealed class RequestCapture : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private const string Listener = "HttpHandlerDiagnosticListener";
    private const string Request = "System.Net.Http.Request";
    private const string Response = "System.Net.Http.Response";

    /// <summary>Every secret of the tests begins so.</summary>
    private const string Secret = "s3cret";

    private static readonly string[] SecretHeaders = ["Authorization", "Proxy-Authorization", "Cookie"];
    private static readonly ConcurrentDictionary<string, Uri> Redirects = new();
    private static long _shown;

    private RequestCapture()
    {
    }

    /// <summary>How many requests had credentials, and were right to have them.</summary>
    public static long Shown => Interlocked.Read(ref _shown);

    /// <summary>Begins to look.</summary>
    public static void Start() => DiagnosticListener.AllListeners.Subscribe(new RequestCapture());

    /// <inheritdoc/>
    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == Listener)
        {
            value.Subscribe(this, (name, _, _) => name is Request or Response);
        }
    }

    /// <inheritdoc/>
    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Key == Request && Get<HttpRequestMessage>(value.Value, "Request") is { RequestUri: { } address } request)
        {
            Check(request, address);
        }
        else if (value.Key == Response && Get<HttpResponseMessage>(value.Value, "Response") is { Headers.Location: { } location, RequestMessage.RequestUri: { } from }
            && Uri.TryCreate(from, location, out Uri? to))
        {
            Redirects[KeyOf(to)] = from;
        }
    }

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }

    /// <inheritdoc/>
    public void OnError(Exception error)
    {
    }

    private static void Check(HttpRequestMessage request, Uri address)
    {
        bool isShown = SecretHeaders.Any(request.Headers.Contains);
        if (isShown && address.Scheme != "https" && !address.IsLoopback)
        {
            throw new XunitException($"Credentials would go to {address} over plain http.");
        }

        bool isLed = Redirects.TryGetValue(KeyOf(address), out Uri? from);
        if (isShown && isLed && from!.Authority != address.Authority)
        {
            throw new XunitException($"Credentials would go to {address}, where {from} redirected to.");
        }

        // What a server redirects to is its own affair, a signature for instance.
        string rest = $"{(isLed ? null : address)}\n{string.Join('\n', request.Headers.Where(header => !SecretHeaders.Contains(header.Key)).SelectMany(header => header.Value))}";
        if (rest.Contains(Secret, StringComparison.Ordinal))
        {
            throw new XunitException($"The address {address.GetLeftPart(UriPartial.Path)}, or a header that is none for it, would show a secret.");
        }

        if (isShown)
        {
            Interlocked.Increment(ref _shown);
        }
    }

    private static string KeyOf(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped);

    private static T? Get<T>(object? payload, string property)
        where T : class => payload?.GetType().GetProperty(property)?.GetValue(payload) as T;
}
