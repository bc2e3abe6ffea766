using System.Net;
using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>Reads manifests and blobs from a registry. Thread-safe; its connections are closed when it is disposed of.</summary>
public sealed class RegistryClient : IDisposable
{
    private const string AcceptManifest = MediaTypes.OllamaList + ", " + MediaTypes.DockerManifest + ", " + MediaTypes.OciManifest;

    /// <summary>The most pages of tags that are asked for: registries put a hundred on each, or a thousand.</summary>
    private const int MaximumPages = 1000;

    private const string BlobType = "*/*";

    private readonly HttpTransport _transport;
    private readonly RegistryOptions _options;

    /// <summary>Makes a client; no connection is opened yet.</summary>
    public RegistryClient(RegistryOptions options)
    {
        _options = options;
        _transport = new HttpTransport(options);
        Retries = new RetryPolicy(options);
    }

    internal int MaximumRetries => _options.MaximumRetryCount;

    internal TimeSpan RetryInterval => _options.RetryInterval;

    private RetryPolicy Retries { get; }

    /// <summary>Fetches and checks a model's manifest, of a list the one that is wanted; blocks until it is there.</summary>
    /// <exception cref="ModelFaultException">It cannot be had, or cannot be used.</exception>
    public Manifest GetManifest(ModelName name, CancellationToken cancellationToken) => GetManifest(name, origin: null, runner: null, cancellationToken);

    /// <summary>Fetches and checks a model's manifest from where it came before; blocks until it is there.</summary>
    /// <param name="name">The model.</param>
    /// <param name="origin">The address of the registry; <see langword="null"/> for the one of the name.</param>
    /// <param name="runner">Which manifest of a list; <see langword="null"/> for the one that Ollama would take.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ModelFaultException">It cannot be had, or cannot be used.</exception>
    public Manifest GetManifest(ModelName name, string? origin, string? runner, CancellationToken cancellationToken)
    {
        RegistryEndpoint endpoint = RegistryEndpoint.Of(name, origin, _options);
        string source = endpoint.ManifestAddress.AbsoluteUri;
        byte[] bytes = Retries.Run(token => FetchText(endpoint, endpoint.ManifestAddress, AcceptManifest, NoModel, token), onRetry: null, cancellationToken);
        if (name.Pin is { } pin)
        {
            RequireDigest(endpoint, endpoint.ManifestAddress, bytes, pin, "the name");
            source = endpoint.SourceOfTag;
            name = name.WithoutPin;
        }

        if (ManifestListReader.TryRead(name, source, bytes) is not { } list)
        {
            return ManifestReader.Read(name, source, bytes);
        }

        ManifestListEntry choice = list.Choose(runner);
        Trace($"{name.Shortest} is a list of manifests; the one for {choice.Runner ?? "any runner"} is taken, {choice.Digest}.");
        return ManifestReader.Read(name, source, Retries.Run(token => FetchChosen(endpoint, choice, token), onRetry: null, cancellationToken)).Of(list, choice);

        ModelFaultException NoModel() => NotFound(endpoint, $"The registry {endpoint.ManifestAddress.Authority} has no model '{name.Shortest}'.", endpoint.ManifestAddress);
    }

    /// <summary>Asks which tags a registry has of a model; blocks until it is there.</summary>
    /// <param name="name">The model; its tag counts for nothing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>A name for each tag, in the registry's order.</returns>
    /// <exception cref="ModelFaultException">The registry has no such model, or lists no tags.</exception>
    public IReadOnlyList<ModelName> GetTags(ModelName name, CancellationToken cancellationToken)
    {
        RegistryEndpoint endpoint = new(name, _options);
        List<ModelName> found = [];
        HashSet<Uri> asked = [];
        for (Uri? next = endpoint.TagsAddress; next is not null;)
        {
            if (!asked.Add(next) || asked.Count > MaximumPages)
            {
                throw new ModelFaultException(ModelFault.UnexpectedStatus, $"The registry {next.Authority} lists tags without end.", new FaultFacts { Name = name.Shortest, Uri = OutsideText.Of(next) });
            }

            Uri page = next;
            TagList list = Retries.Run(token => FetchTags(endpoint, page, token), onRetry: null, cancellationToken);
            found.AddRange(list.Tags.Select(name.WithTag));
            next = list.Next;
        }

        return found;
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose() => _transport.Dispose();

    internal void Trace(string message) => _options.Trace?.Invoke(message);

    /// <summary>The source of one blob; it resolves the blob's address when it is first asked for bytes.</summary>
    internal BlobSource OpenBlob(Manifest manifest, Layer layer) => new(_transport, _options, RegistryEndpoint.Of(manifest, _options), layer);

    /// <summary>A manifest of a list is a blob, and named by its digest alone.</summary>
    private byte[] FetchChosen(RegistryEndpoint endpoint, ManifestListEntry choice, CancellationToken cancellationToken)
    {
        Uri address = endpoint.Blob(choice.Digest);
        byte[] bytes = FetchText(endpoint, address, BlobType, () => NotFound(endpoint, $"The registry {address.Authority} has a list of the manifests of '{endpoint.Name.Shortest}', and not the one that the list names, {choice.Digest}.", address, "Only the registry's owner can push it again; -Runner names another one of the list."), cancellationToken);
        RequireDigest(endpoint, address, bytes, choice.Digest, "the list");
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
        using HttpResponseMessage response = _transport.Get(new HttpQuery(address, accept, range: null, endpoint.Registry), cancellationToken);
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
