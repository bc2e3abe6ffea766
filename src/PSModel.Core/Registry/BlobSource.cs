using System.Net;
using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;

namespace PSModel.Core.Registry;

/// <summary>
/// Where one blob's bytes come from. The registry often answers with a redirect to a signed address that expires: the
/// address is resolved once for all connections, kept, and resolved again when it has expired. Thread-safe.
/// </summary>
internal sealed class BlobSource(HttpTransport transport, RegistryOptions options, RegistryEndpoint endpoint, Layer layer) : IDisposable
{
    private readonly Uri _registered = endpoint.Blob(layer.Digest);
    private readonly SemaphoreSlim _resolving = new(1, 1);
    private volatile Uri? _location;

    /// <summary>The ETag of the answer that came last, if it gave one.</summary>
    public string? Validator { get; private set; }

    /// <summary>Opens the bytes of <paramref name="range"/>.</summary>
    /// <returns>A stream that begins at the range, or at byte 0 where the server ignores ranges.</returns>
    /// <exception cref="ModelFaultException">The answer is not what was asked for.</exception>
    public BlobStream Open(ByteRange range, CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = null;
        if (_location is { } known)
        {
            response = Ask(known, range, cancellationToken);
            if (known != _registered && IsExpired(response.StatusCode))
            {
                response.Dispose();
                response = null;
                Interlocked.CompareExchange(ref _location, null, known);
            }
        }

        response ??= Resolve(range, cancellationToken);
        try
        {
            return Check(response, range, cancellationToken);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    public void Dispose() => _resolving.Dispose();

    /// <summary>Asks by way of the registry, unless another connection has just done so.</summary>
    private HttpResponseMessage Resolve(ByteRange range, CancellationToken cancellationToken)
    {
        _resolving.Wait(cancellationToken);
        try
        {
            HttpResponseMessage response = Ask(_location ?? _registered, range, cancellationToken);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
            {
                _location = response.RequestMessage!.RequestUri;
            }

            return response;
        }
        finally
        {
            _resolving.Release();
        }
    }

    private HttpResponseMessage Ask(Uri address, ByteRange range, CancellationToken cancellationToken)
    {
        bool isWhole = range.Start == 0 && range.End == layer.Size;
        return transport.Get(new HttpQuery(address, "*/*", isWhole ? null : range), cancellationToken);
    }

    /// <summary>What storage services answer to a signed address that has expired, or to one that is gone.</summary>
    private static bool IsExpired(HttpStatusCode status) =>
        status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone;

    private BlobStream Check(HttpResponseMessage response, ByteRange range, CancellationToken cancellationToken)
    {
        Uri answered = response.RequestMessage!.RequestUri!;
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone && answered == _registered)
        {
            FaultFacts facts = Facts(response);
            throw new ModelFaultException(
                ModelFault.BlobNotFound,
                $"The registry {answered.Authority} names {layer.Digest} in the manifest of {endpoint.Name.Shortest}, and does not have it.",
                facts);
        }

        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
        {
            throw StatusFault.From(response, _registered, cancellationToken);
        }

        RefuseForeignContent(response);
        (long start, long? end) = response.StatusCode == HttpStatusCode.PartialContent ? CheckPart(response, range) : CheckWhole(response);
        Validator = response.Headers.ETag?.ToString();
        BodyStream body = BodyStream.Open(response, options.OperationTimeout, cancellationToken);
        return new BlobStream(body, start, end);
    }

    /// <summary>A portal's or a proxy's page comes with status 200 as well.</summary>
    private void RefuseForeignContent(HttpResponseMessage response)
    {
        if (response.Content.Headers.ContentType?.MediaType is "text/html")
        {
            throw Unexpected(response, "answered with a web page in place of the blob; a proxy or a sign-in page stands in between");
        }

        if (response.Content.Headers.ContentEncoding.FirstOrDefault(coding => coding != "identity") is { } encoding)
        {
            throw Unexpected(response, $"answered with bytes compressed by '{encoding}', which was not asked for; a proxy stands in between");
        }
    }

    private (long Start, long? End) CheckWhole(HttpResponseMessage response)
    {
        long? length = response.Content.Headers.ContentLength;
        return length is null || length == layer.Size ? (0, length) : throw WrongSize(response, length.Value);
    }

    private (long Start, long? End) CheckPart(HttpResponseMessage response, ByteRange range)
    {
        if (response.Content.Headers.ContentRange is not { Unit: "bytes", From: { } from, To: { } to } part)
        {
            throw Unexpected(response, "answered 206 without saying which bytes it sends");
        }

        if (part.Length is { } total && total != layer.Size)
        {
            throw WrongSize(response, total);
        }

        if (from != range.Start || to >= range.End || (response.Content.Headers.ContentLength is { } length && length != to - from + 1))
        {
            throw Unexpected(response, $"was asked for the bytes {range} and sent '{part}'");
        }

        return (from, to + 1);
    }

    private ModelFaultException Unexpected(HttpResponseMessage response, string what)
    {
        FaultFacts facts = Facts(response);
        return new ModelFaultException(ModelFault.UnexpectedStatus, $"{facts.Uri} {what}.", facts) { IsTransient = true };
    }

    private ModelFaultException WrongSize(HttpResponseMessage response, long actual)
    {
        FaultFacts facts = Facts(response);
        facts.ExpectedSize = layer.Size;
        facts.ActualSize = actual;
        return new ModelFaultException(
            ModelFault.SizeMismatch,
            $"{facts.Uri} offers {actual} bytes, and the manifest of {endpoint.Name.Shortest} names {layer.Size} for {layer.Digest}.",
            facts);
    }

    private FaultFacts Facts(HttpResponseMessage response) => new()
    {
        Name = endpoint.Name.Shortest,
        Digest = layer.Digest.ToString(),
        Uri = HttpTransport.Display(response.RequestMessage!.RequestUri!),
        StatusCode = (int)response.StatusCode,
    };
}
