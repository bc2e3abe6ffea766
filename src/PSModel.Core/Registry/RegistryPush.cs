using System.Globalization;
using System.Net;
using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>What the distribution specification has for pushing to one repository; each method is one request. Thread-safe.</summary>
internal sealed class RegistryPush(HttpTransport transport, RegistryOptions options, RetryPolicy retries, RegistryEndpoint endpoint)
{
    private const string AnyType = "*/*";
    private const string DigestHeader = "Docker-Content-Digest";
    private const string ShortestChunkHeader = "OCI-Chunk-Min-Length";
    private const string UnknownBlob = "MANIFEST_BLOB_UNKNOWN";
    private const string Remedy = "Sign in as somebody who may write there: -Credential, -Token, or docker login.";

    /// <summary>Some registries read a whole blob once more before they answer for it; slower than this is none.</summary>
    private const double HashedPerSecond = 16 * 1024 * 1024;

    private static readonly HttpMethod Patch = new("PATCH");

    /// <summary>The registry's scheme, host and port.</summary>
    public string Authority => endpoint.Registry.Address.GetLeftPart(UriPartial.Authority);

    /// <summary>The repository.</summary>
    public string Repository => endpoint.Repository;

    /// <summary>Where the manifest goes.</summary>
    public Uri ManifestAddress => endpoint.ManifestAddress;

    /// <summary>How attempts are repeated.</summary>
    public RetryPolicy Retries => retries;

    /// <summary>How often.</summary>
    public int MaximumRetries => options.MaximumRetryCount;

    /// <summary>Looks whether the registry has a blob. What it does not let a reader see, it may let a writer write.</summary>
    /// <exception cref="ModelFaultException">It cannot be asked, or has it in another size.</exception>
    public BlobPresence Look(Layer layer, CancellationToken cancellationToken)
    {
        // A registry that names another place for it has it; the address may be for reading alone.
        Uri address = endpoint.Blob(layer.Digest);
        HttpQuery query = new(address, AnyType, range: null, endpoint.Registry)
        {
            Method = HttpMethod.Head,
            IsAnswer = next => !next.AbsolutePath.EndsWith($"/blobs/{layer.Digest}", StringComparison.Ordinal),
        };
        using HttpResponseMessage response = transport.Ask(query, cancellationToken);
        int status = (int)response.StatusCode;
        if (StatusFault.IsTransient(status))
        {
            throw StatusFault.From(response, address, isLasting: true, cancellationToken);
        }

        if (status is < 200 or >= 400)
        {
            return BlobPresence.Absent;
        }

        if (status != 200 || response.Content.Headers.ContentLength is not { } length || (length == 0 && layer.Size > 0))
        {
            return BlobPresence.Present;
        }

        return length == layer.Size ? BlobPresence.OfSize : throw new ModelFaultException(
            ModelFault.SizeMismatch,
            $"The registry {address.Authority} has {layer.Digest} with {ByteText.Exact(length)}, and the manifest of {endpoint.Name.Shortest} names {ByteText.Exact(layer.Size)}.",
            new FaultFacts { Name = endpoint.Name.Shortest, Digest = layer.Digest.ToString(), Uri = OutsideText.Of(address), ExpectedSize = layer.Size, ActualSize = length, Remedy = "What the registry has is damaged: only its owner can remove it there, and then it can be pushed again." });
    }

    /// <summary>Begins an upload.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="from">Another repository of the registry that has it; <see langword="null"/> where none is known.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see langword="null"/> where the registry took the blob from there.</returns>
    public UploadState? Begin(BlobDigest digest, string? from, CancellationToken cancellationToken)
    {
        Uri address = from is null ? endpoint.UploadsAddress : new Uri($"{endpoint.UploadsAddress}?mount={digest}&from={Uri.EscapeDataString(from)}");
        using HttpResponseMessage response = Send(HttpMethod.Post, address, BytesBody.Empty, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.Created when from is not null => null,
            HttpStatusCode.Accepted => new UploadState(LocationOf(response), 0, ShortestChunkOf(response)),
            _ => throw Refused(response, address, cancellationToken),
        };
    }

    /// <summary>Asks how far an upload has come.</summary>
    /// <returns><see langword="null"/> where the registry knows of none, or does not tell.</returns>
    public UploadState? Ask(UploadState upload, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = transport.Ask(new HttpQuery(upload.Location, AnyType, range: null, endpoint.Registry), cancellationToken);
        if (StatusFault.IsTransient((int)response.StatusCode))
        {
            throw StatusFault.From(response, upload.Location, isLasting: true, cancellationToken);
        }

        return response.IsSuccessStatusCode && OffsetOf(response) is { } offset
            ? new UploadState(response.Headers.Location is null ? upload.Location : LocationOf(response), offset, upload.ShortestChunk)
            : null;
    }

    /// <summary>Sends a chunk behind what the registry has.</summary>
    /// <exception cref="ModelFaultException">It is not known to be there; where it is transient, <see cref="Ask"/> tells more.</exception>
    public UploadState SendChunk(UploadState upload, HttpBody chunk, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = Send(Patch, upload.Location, chunk, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw Refused(response, upload.Location, cancellationToken);
        }

        // What is taken only in part is told by a range that ends within the chunk.
        long end = upload.Offset + chunk.Length;
        long told = OffsetOf(response) is { } offset && offset > upload.Offset && offset < end ? offset : end;
        return new UploadState(response.Headers.Location is null ? upload.Location : LocationOf(response), told, upload.ShortestChunk);
    }

    /// <summary>Ends an upload: the registry compares what it has with the digest, and keeps it as that blob.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="layer">The blob.</param>
    /// <param name="rest">What is still to be sent.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public void Finish(UploadState upload, Layer layer, HttpBody rest, CancellationToken cancellationToken)
    {
        string location = upload.Location.AbsoluteUri;
        Uri address = new($"{location}{(upload.Location.Query.Length > 0 ? '&' : '?')}digest={layer.Digest}");
        using HttpResponseMessage response = Send(HttpMethod.Put, address, rest, cancellationToken, TimeSpan.FromSeconds(layer.Size / HashedPerSecond));
        if (response.StatusCode != HttpStatusCode.Created)
        {
            throw Refused(response, address, cancellationToken);
        }

        RequireSame(response, layer.Digest, "a blob");
    }

    /// <summary>Gives an upload up. Whether the registry hears of it does not matter: it removes old ones by itself.</summary>
    public void Cancel(UploadState upload, CancellationToken cancellationToken)
    {
        try
        {
            transport.Ask(new HttpQuery(upload.Location, AnyType, range: null, endpoint.Registry) { Method = HttpMethod.Delete }, cancellationToken).Dispose();
        }
        catch (Exception e) when (e is ModelFaultException or OperationCanceledException)
        {
            options.Trace?.Invoke($"An upload that is of no use could not be removed: {e.Message}");
        }
    }

    /// <summary>Whether the registry has this very manifest under the tag.</summary>
    public bool HasManifest(Manifest manifest, CancellationToken cancellationToken)
    {
        HttpQuery query = new(ManifestAddress, manifest.MediaType, range: null, endpoint.Registry);
        using HttpResponseMessage response = transport.Ask(query, cancellationToken);
        if (StatusFault.IsTransient((int)response.StatusCode))
        {
            throw StatusFault.From(response, ManifestAddress, isLasting: true, cancellationToken);
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            return false;
        }

        using BodyStream body = BodyStream.Open(response, options.OperationTimeout, cancellationToken);
        return BlobDigest.Of(body.ReadAll(ManifestReader.MaximumBytes, options.OperationTimeout)) == manifest.Digest;
    }

    /// <summary>Writes the manifest under the tag.</summary>
    /// <returns>Whether it was taken; the registry does not where it lacks a blob of it.</returns>
    public bool PutManifest(Manifest manifest, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = Send(HttpMethod.Put, ManifestAddress, new BytesBody(manifest.GetBytes(), manifest.MediaType), cancellationToken);
        if (response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.Accepted)
        {
            RequireSame(response, manifest.Digest, "the manifest");
            return true;
        }

        ModelFaultException fault = Refused(response, ManifestAddress, cancellationToken);
        return fault.Message.Contains(UnknownBlob) ? false : throw fault;
    }

    private HttpResponseMessage Send(HttpMethod method, Uri address, HttpBody body, CancellationToken cancellationToken, TimeSpan answerTime = default) =>
        transport.Ask(new HttpQuery(address, AnyType, range: null, endpoint.Registry) { Method = method, Body = body, AnswerTime = answerTime }, cancellationToken);

    /// <summary>What a refusal means. One of a chunk may mean that the upload is not where it was thought to be.</summary>
    private ModelFaultException Refused(HttpResponseMessage response, Uri address, CancellationToken cancellationToken)
    {
        ModelFaultException fault = StatusFault.From(response, address, isLasting: true, cancellationToken);
        fault.Facts.Name = endpoint.Name.Shortest;
        int status = (int)response.StatusCode;
        if (status is 401 or 403)
        {
            fault.Facts.Remedy = Remedy;
            return new ModelFaultException(ModelFault.AuthenticationFailed, $"Nothing may be pushed to '{Repository}': {fault.Message}", fault.Facts);
        }

        return fault;
    }

    private void RequireSame(HttpResponseMessage response, BlobDigest digest, string what)
    {
        string? told = response.Headers.TryGetValues(DigestHeader, out IEnumerable<string>? values) ? string.Join(",", values) : null;
        if (told is not null && told.StartsWith("sha256:", StringComparison.Ordinal) && told != digest.ToString())
        {
            Uri address = response.RequestMessage!.RequestUri!;
            throw new ModelFaultException(
                ModelFault.DigestMismatch,
                $"The registry {address.Authority} took {what} as {OutsideText.Of(told)}, and {digest} was sent.",
                new FaultFacts { Name = endpoint.Name.Shortest, Digest = digest.ToString(), ActualDigest = OutsideText.Of(told), Uri = OutsideText.Of(address), Remedy = "Something between here and the registry changes what is sent, or the registry does: try without the proxy or VPN." });
        }
    }

    /// <summary>Where an answer says that an upload goes on. Some registries behind a proxy that encrypts for them do not know that
    /// theirs is an encrypted address.</summary>
    private Uri LocationOf(HttpResponseMessage response)
    {
        Uri asked = response.RequestMessage!.RequestUri!;
        if (AddressText.TryReadLocation(response, asked) is not { } location || location.UserInfo.Length > 0 || location.Scheme is not ("https" or "http"))
        {
            throw new ModelFaultException(ModelFault.UnexpectedStatus, $"{OutsideText.Of(asked)} names no place where the upload goes on.", new FaultFacts { Name = endpoint.Name.Shortest, Uri = OutsideText.Of(asked) });
        }

        if (location.Scheme == "http" && asked.Scheme == "https" && (location.IsDefaultPort || location.Port == asked.Port) && string.Equals(location.IdnHost, asked.IdnHost, StringComparison.OrdinalIgnoreCase))
        {
            location = new UriBuilder(location) { Scheme = asked.Scheme, Port = asked.Port }.Uri;
        }

        transport.RequireTrusted(asked, location);
        return location;
    }

    private static long ShortestChunkOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(ShortestChunkHeader, out IEnumerable<string>? values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes : 0;

    /// <summary>The bytes that are there, by a range of which the last byte counts: <c>0-1023</c>. Of nothing at all registries say
    /// <c>0-0</c>, for the specification has no other way.</summary>
    private static long? OffsetOf(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Range", out IEnumerable<string>? values))
        {
            return null;
        }

        string range = values.First();
        string last = range.Substring(range.LastIndexOf('-') + 1);
        return long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out long end) && end < long.MaxValue ? (end == 0 ? 0 : end + 1) : null;
    }
}
