using System.Net;
using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Sources;

namespace PSModel.Core.Registry;

/// <summary>Reads manifests and blobs from a registry. Thread-safe; its connections are closed when it is disposed of.</summary>
public sealed class RegistryClient : ModelSource
{
    private const string AcceptManifest = MediaTypes.OllamaList + ", " + MediaTypes.DockerManifest + ", " + MediaTypes.OciManifest;

    /// <summary>The most pages of tags that are asked for: registries put a hundred on each, or a thousand.</summary>
    private const int MaximumPages = 1000;

    private const string BlobType = "*/*";

    private readonly HttpTransport _transport;
    private readonly RegistryOptions _options;
    private readonly RegistryHealth _health;
    private volatile Tuple<Manifest, IReadOnlyList<RegistryEndpoint>>? _last;

    /// <summary>Makes a client; no connection is opened yet.</summary>
    public RegistryClient(RegistryOptions options)
    {
        _options = options;
        _transport = new HttpTransport(options);
        _health = new RegistryHealth(Trace);
        Retries = new RetryPolicy(options);
    }

    internal override int MaximumRetries => _options.MaximumRetryCount;

    internal override TimeSpan RetryInterval => _options.RetryInterval;

    private RetryPolicy Retries { get; }

    /// <inheritdoc/>
    public override Manifest GetManifest(ModelName name, string? origin, string? runner, CancellationToken cancellationToken)
    {
        IReadOnlyList<RegistryEndpoint> registries = RegistryEndpoint.AllOf(name, origin, _options);
        return Retries.Run(token => AskFirst(registries, registry => ReadManifest(registry, runner, token), token), onRetry: null, cancellationToken);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ModelName> GetTags(ModelName name, CancellationToken cancellationToken)
    {
        IReadOnlyList<RegistryEndpoint> registries = RegistryEndpoint.AllOf(name, origin: null, _options);
        (RegistryEndpoint registry, TagList list) = Retries.Run(
            token => AskFirst(registries, registry => (registry, FetchTags(registry, registry.TagsAddress, token)), token),
            onRetry: null,
            cancellationToken);
        List<ModelName> found = [.. list.Tags.Select(name.WithTag)];
        HashSet<Uri> asked = [registry.TagsAddress];
        while (list.Next is { } next)
        {
            if (!asked.Add(next) || asked.Count > MaximumPages)
            {
                throw new ModelFaultException(ModelFault.UnexpectedStatus, $"The registry {next.Authority} lists tags without end.", new FaultFacts { Name = name.Shortest, Uri = OutsideText.Of(next) });
            }

            list = Retries.Run(token => FetchTags(registry, next, token), onRetry: null, cancellationToken);
            found.AddRange(list.Tags.Select(name.WithTag));
        }

        return found;
    }

    internal override void Trace(string message) => _options.Trace?.Invoke(message);

    /// <inheritdoc/>
    /// <remarks>It resolves the blob's address when it is first asked for bytes.</remarks>
    internal override BlobSource OpenBlob(Manifest manifest, Layer layer)
    {
        if (ForeignModel.TryContentOf(manifest, layer) is { } made)
        {
            return new MadeBlob(made);
        }

        RegistryBlob[] places = [.. RegistriesOf(manifest).Select(registry => new RegistryBlob(_transport, _options, registry, layer))];
        return places.Length == 1 ? places[0] : new MirroredBlob(places, _health);
    }

    /// <summary>Those of the blobs of a manifest, which may be thousands: addresses are read once for all of them.</summary>
    private IReadOnlyList<RegistryEndpoint> RegistriesOf(Manifest manifest)
    {
        if (_last is { } last && last.Item1 == manifest)
        {
            return last.Item2;
        }

        IReadOnlyList<RegistryEndpoint> registries = RegistryEndpoint.AllOf(manifest, _options);
        _last = Tuple.Create(manifest, registries);
        return registries;
    }

    /// <summary>The place of a model at its registry, to push it there.</summary>
    /// <exception cref="ModelFaultException">The address is none, or would be reached in a way that others can read.</exception>
    internal RegistryPush OpenPush(ModelName name) => new(_transport, _options, Retries, RegistryEndpoint.AllOf(name, origin: null, _options)[0]);

    /// <summary>Closes all connections.</summary>
    protected override void Dispose(bool isDisposing)
    {
        if (isDisposing)
        {
            _transport.Dispose();
        }

        base.Dispose(isDisposing);
    }

    /// <summary>Those that could not be reached are asked last.</summary>
    private T AskFirst<T>(IReadOnlyList<RegistryEndpoint> registries, Func<RegistryEndpoint, T> ask, CancellationToken cancellationToken) =>
        _health.First([.. registries.OrderBy(_health.IsDown)], registry => registry, ask, cancellationToken);

    private Manifest ReadManifest(RegistryEndpoint endpoint, string? runner, CancellationToken cancellationToken)
    {
        ModelName name = endpoint.Name.WithoutPin;
        byte[]? tagged = null;
        byte[] bytes = endpoint.Pins.Any() ? FetchPinned(endpoint, out tagged, cancellationToken) : FetchManifest(endpoint, endpoint.ManifestAddress, cancellationToken);
        foreach ((BlobDigest digest, string who) in endpoint.Pins)
        {
            RequireDigest(endpoint, endpoint.ManifestAddress, bytes, digest, who);
        }

        Manifest manifest = ServedManifest.Read(
            name,
            endpoint.SourceOfTag,
            bytes,
            runner,
            blob => FetchSmallBlob(endpoint, blob, cancellationToken),
            choice => FetchChosen(endpoint, choice, cancellationToken),
            Trace);
        return endpoint.Pins.Any() ? manifest.Pinned(TryReadList(endpoint, tagged), runner) : manifest;
    }

    /// <summary>The list that a tag is; <see langword="null"/> where it is none that can be read, which is no matter for what was found
    /// without it.</summary>
    private static ManifestList? TryReadList(RegistryEndpoint endpoint, byte[]? tagged)
    {
        try
        {
            return tagged is null ? null : ManifestListReader.TryRead(endpoint.Name.WithoutPin, endpoint.SourceOfTag, tagged);
        }
        catch (ModelFaultException)
        {
            return null;
        }
    }

    private byte[] FetchManifest(RegistryEndpoint endpoint, Uri address, CancellationToken cancellationToken) => FetchText(
        endpoint,
        address,
        AcceptManifest,
        () => NotFound(endpoint, $"The registry {address.Authority} has no model '{endpoint.ShownName}'.", address),
        cancellationToken);

    /// <summary>A manifest by its digest. Not every registry gives one so: it may be what the tag still is, or one of a list, which lies
    /// among the blobs.</summary>
    /// <param name="endpoint">The registry.</param>
    /// <param name="tagged">What the tag is, where that was asked for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private byte[] FetchPinned(RegistryEndpoint endpoint, out byte[]? tagged, CancellationToken cancellationToken)
    {
        tagged = null;
        try
        {
            return FetchManifest(endpoint, endpoint.ManifestAddress, cancellationToken);
        }
        catch (ModelFaultException gone) when (IsMissing(gone))
        {
            BlobDigest pin = endpoint.Pins.First().Digest;
            tagged = TryFetch(endpoint, endpoint.TagAddress, AcceptManifest, cancellationToken);
            byte[]? found = tagged is not null && BlobDigest.Of(tagged) == pin ? tagged : TryFetch(endpoint, endpoint.Blob(pin), BlobType, cancellationToken);
            if (found is not null && BlobDigest.Of(found) == pin)
            {
                return found;
            }

            throw tagged is null ? gone : NotFound(
                endpoint,
                $"The tag '{endpoint.ShownTag}' has moved at the registry {endpoint.TagAddress.Authority}: its manifest has the digest {BlobDigest.Of(tagged)} now, and that of {pin}, which is asked for, is gone.",
                endpoint.TagAddress,
                "Fetch it from a mirror or a folder that still has it, with -Registry or -Source; or take the tag as it is now, without the digest.");
        }
    }

    /// <summary>What is there; <see langword="null"/> where nothing is.</summary>
    private byte[]? TryFetch(RegistryEndpoint endpoint, Uri address, string accept, CancellationToken cancellationToken)
    {
        try
        {
            return FetchText(endpoint, address, accept, () => NotFound(endpoint, "It is not there.", address), cancellationToken);
        }
        catch (ModelFaultException missing) when (IsMissing(missing))
        {
            return null;
        }
    }

    /// <summary>Some registries answer 400 to what they have no manifest of, or 405.</summary>
    private static bool IsMissing(ModelFaultException fault) => fault.Fault == ModelFault.ManifestNotFound || (fault.Fault == ModelFault.UnexpectedStatus && fault.Facts.StatusCode is 400 or 405);

    /// <summary>A manifest of a list is a blob, and named by its digest alone.</summary>
    private byte[] FetchChosen(RegistryEndpoint endpoint, ManifestListEntry choice, CancellationToken cancellationToken)
    {
        Uri address = endpoint.Blob(choice.Digest);
        byte[] bytes = FetchText(endpoint, address, BlobType, () => NotFound(endpoint, $"The registry {address.Authority} has a list of the manifests of '{endpoint.Name.Shortest}', and not the one that the list names, {choice.Digest}.", address, "Only the registry's owner can push it again; -Runner names another one of the list."), cancellationToken);
        RequireDigest(endpoint, address, bytes, choice.Digest, "the list");
        return bytes;
    }

    private byte[] FetchSmallBlob(RegistryEndpoint endpoint, Layer blob, CancellationToken cancellationToken)
    {
        Uri address = endpoint.Blob(blob.Digest);
        byte[] bytes = FetchText(endpoint, address, BlobType, () => NotFound(endpoint, $"The registry {address.Authority} has '{endpoint.ShownName}', and not {blob.Digest}, which its manifest names.", address), cancellationToken);
        RequireDigest(endpoint, address, bytes, blob.Digest, "its manifest");
        return bytes;
    }

    private static void RequireDigest(RegistryEndpoint endpoint, Uri address, byte[] bytes, BlobDigest digest, string who)
    {
        BlobDigest actual = BlobDigest.Of(bytes);
        if (actual != digest)
        {
            throw new ModelFaultException(
                ModelFault.DigestMismatch,
                $"What {OutsideText.Of(address)} gives for a manifest of {endpoint.Name.Shortest} has the digest {actual}, and {who} says {digest}.",
                new FaultFacts { Name = endpoint.Name.Shortest, Digest = digest.ToString(), ActualDigest = actual.ToString(), Uri = OutsideText.Of(address) })
            { IsTransient = true };
        }
    }

    private TagList FetchTags(RegistryEndpoint endpoint, Uri address, CancellationToken cancellationToken)
    {
        return Fetch(endpoint, address, "application/json", NoTags, (bytes, response) => TagList.TryRead(endpoint.Name, bytes, response, address), cancellationToken) ?? throw NoTags();

        ModelFaultException NoTags() => new(
            ModelFault.ManifestNotFound,
            $"The registry {address.Authority} lists no tags of '{endpoint.Name.Namespace}/{endpoint.Name.Model}': it has no such model, or no such lists.",
            new FaultFacts { Name = endpoint.Name.Shortest, Uri = OutsideText.Of(address), Remedy = "Check the spelling of the model; registry.ollama.ai lists its tags on its web pages alone." });
    }

    private byte[] FetchText(RegistryEndpoint endpoint, Uri address, string accept, Func<ModelFaultException> notFound, CancellationToken cancellationToken) =>
        Fetch(endpoint, address, accept, notFound, (bytes, _) => bytes, cancellationToken);

    private T Fetch<T>(RegistryEndpoint endpoint, Uri address, string accept, Func<ModelFaultException> notFound, Func<byte[], HttpResponseMessage, T> read, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = _transport.Ask(new HttpQuery(address, accept, range: null, endpoint.Registry), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            throw notFound();
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw StatusFault.From(response, address, isLasting: accept != BlobType, cancellationToken);
        }

        using BodyStream body = BodyStream.Open(response, _options.OperationTimeout, cancellationToken);
        return read(body.ReadAll(ManifestReader.MaximumBytes, _options.OperationTimeout), response);
    }

    private static ModelFaultException NotFound(RegistryEndpoint endpoint, string message, Uri address, string? remedy = null) =>
        new(ModelFault.ManifestNotFound, message, new FaultFacts { Name = endpoint.Name.Shortest, Uri = OutsideText.Of(address), StatusCode = 404, Remedy = remedy });
}
