using System.Diagnostics;
using System.Net;
using System.Net.Http;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Sources;

namespace PSModel.Core.Registry;

/// <summary>
/// One blob at one registry. The registry often answers with a redirect to a signed address that expires: the
/// address is resolved once for all connections, kept, and resolved again when it has expired. Thread-safe.
/// </summary>
internal sealed class RegistryBlob(HttpTransport transport, RegistryOptions options, RegistryEndpoint endpoint, Layer layer) : BlobSource
{
    /// <summary>How often a connection that waits for another's answer looks whether it is still wanted.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Of an ETag, which checkpoints keep.</summary>
    private const int LongestValidator = 200;

    private readonly Uri _registered = endpoint.Blob(layer.Digest);
    private readonly object _resolving = new();
    private volatile Uri? _location;
    private volatile string? _validator;

    /// <summary>The registry.</summary>
    public RegistryEndpoint Endpoint => endpoint;

    /// <inheritdoc/>
    public override string? Validator => _validator;

    /// <inheritdoc/>
    /// <remarks>An address that has failed is dropped, and resolved again once. A fault is transient where another than the registry gave
    /// the answer, since the next attempt may be led elsewhere.</remarks>
    public override BlobStream Open(ByteRange range, CancellationToken cancellationToken)
    {
        Uri? known = _location;
        HttpResponseMessage response = (known is null ? null : AskKnown(known, range, cancellationToken)) ?? Resolve(range, cancellationToken);
        try
        {
            return Check(response, range, cancellationToken);
        }
        catch (Exception e)
        {
            Uri answered = response.RequestMessage!.RequestUri!;
            response.Dispose();
            if (e is not ModelFaultException fault || answered == _registered)
            {
                throw;
            }

            Drop(known);
            Drop(answered);
            throw Transient(fault);
        }
    }

    /// <summary>Asks where the blob was last found.</summary>
    /// <returns><see langword="null"/> where it is there no more: signed addresses expire, and hosts go.</returns>
    private HttpResponseMessage? AskKnown(Uri known, ByteRange range, CancellationToken cancellationToken)
    {
        if (known == _registered)
        {
            return Ask(known, range, cancellationToken);
        }

        try
        {
            HttpResponseMessage response = Ask(known, range, cancellationToken);
            if (IsSuccess(response))
            {
                return response;
            }

            response.Dispose();
        }
        catch (ModelFaultException)
        {
            // The registry may name another address, and its own fault says more than this one.
        }

        Drop(known);
        return null;
    }

    /// <summary>Asks by way of the registry, unless another connection has just done so.</summary>
    private HttpResponseMessage Resolve(ByteRange range, CancellationToken cancellationToken)
    {
        long since = Stopwatch.GetTimestamp();
        while (!Monitor.TryEnter(_resolving, Look))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        try
        {
            Uri address = _location ?? _registered;
            HttpResponseMessage response = Ask(address, range, cancellationToken, since);
            if (IsSuccess(response))
            {
                _location = response.RequestMessage!.RequestUri;
            }
            else
            {
                Drop(address);
            }

            return response;
        }
        finally
        {
            Monitor.Exit(_resolving);
        }
    }

    private HttpResponseMessage Ask(Uri address, ByteRange range, CancellationToken cancellationToken, long? since = null)
    {
        bool isWhole = range.Start == 0 && range.End == layer.Size;
        try
        {
            HttpQuery query = new(address, "*/*", isWhole ? null : range, endpoint.Registry) { Since = since ?? Stopwatch.GetTimestamp() };
            return transport.Ask(query, cancellationToken);
        }
        catch (ModelFaultException e)
        {
            Drop(address);
            bool isElsewhere = e.Facts.Uri != OutsideText.Of(_registered);
            if (isElsewhere && (e.Fault is ModelFault.RegistryUnreachable or ModelFault.UnexpectedStatus))
            {
                throw Transient(e);
            }

            throw;
        }
    }

    /// <summary>Forgets the address, unless another has come in its place.</summary>
    private void Drop(Uri? address)
    {
        Uri? current = _location;
        if (current is not null && current == address && current != _registered)
        {
            Interlocked.CompareExchange(ref _location, null, current);
        }
    }

    private static bool IsSuccess(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent;

    /// <summary>Credentials are another matter: the registry's own, on any of its addresses.</summary>
    private static ModelFaultException Transient(ModelFaultException fault) => fault.Fault == ModelFault.AuthenticationFailed
        ? fault
        : new ModelFaultException(fault.Fault, fault.Message, fault.Facts, fault.InnerException)
        {
            IsTransient = true,
            RetryAfter = fault.RetryAfter,
        };

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

        if (!IsSuccess(response))
        {
            throw StatusFault.From(response, _registered, isLasting: false, cancellationToken);
        }

        RefuseForeignContent(response);
        (long start, long? end) = response.StatusCode == HttpStatusCode.PartialContent ? CheckPart(response, range) : CheckWhole(response);
        _validator = response.Headers.ETag?.ToString() is { Length: <= LongestValidator } validator && !ShownSecrets.Has(validator, response.RequestMessage!) ? validator : null;
        BodyStream body = BodyStream.Open(response, options.OperationTimeout, cancellationToken);

        // The distribution specification has registries say that they send parts. One that fetches the blob from elsewhere while it
        // sends it, as docker-registry does, sends none, and fetches it once more for each that asks.
        bool isWholeOnly = response.StatusCode == HttpStatusCode.OK && answered == _registered && !response.Headers.AcceptRanges.Contains("bytes");
        return new BlobStream(body, start, end) { IsWholeOnly = isWholeOnly };
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
            throw Unexpected(response, $"answered with bytes compressed by '{OutsideText.Of(encoding)}', which was not asked for; a proxy stands in between");
        }
    }

    private (long Start, long? End) CheckWhole(HttpResponseMessage response)
    {
        long? length = response.Content.Headers.ContentLength;
        if (length is null && response.Content.Headers.TryGetValues("Content-Length", out _))
        {
            throw Unexpected(response, "answered with a length that is none; something in between garbles what it sends");
        }

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
            $"{facts.Uri} offers {ByteText.Exact(actual)}, and the manifest of {endpoint.Name.Shortest} names {ByteText.Exact(layer.Size)} for {layer.Digest}.",
            facts);
    }

    private FaultFacts Facts(HttpResponseMessage response) => new()
    {
        Name = endpoint.Name.Shortest,
        Digest = layer.Digest.ToString(),
        Uri = OutsideText.Of(response.RequestMessage!.RequestUri!),
        StatusCode = (int)response.StatusCode,
    };
}
