using System.Diagnostics;
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
        byte[] bytes = Retries.Run(token => FetchText(endpoint.ManifestAddress, AcceptManifest, NoModel, token), onRetry: null, cancellationToken);
        if (ManifestListReader.TryRead(name, source, bytes) is not { } list)
        {
            return ManifestReader.Read(name, source, bytes);
        }

        ManifestListEntry choice = list.Choose(runner);
        Trace($"{name.Shortest} is a list of manifests; the one for {choice.Runner ?? "any runner"} is taken, {choice.Digest}.");
        return ManifestReader.Read(name, source, Retries.Run(token => FetchChosen(endpoint, choice, token), onRetry: null, cancellationToken)).Of(list, choice);

        ModelFaultException NoModel() => NotFound(endpoint, $"The registry {endpoint.ManifestAddress.Authority} has no model '{name.Shortest}'.", endpoint.ManifestAddress);
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
        byte[] bytes = FetchText(address, "*/*", () => NotFound(endpoint, $"The registry {address.Authority} has a list of the manifests of '{endpoint.Name.Shortest}', and not the one that the list names, {choice.Digest}.", address, "Only the registry's owner can push it again; -Runner names another one of the list."), cancellationToken);
        BlobDigest actual = BlobDigest.Of(bytes);
        return actual == choice.Digest ? bytes : throw new ModelFaultException(
            ModelFault.DigestMismatch,
            $"What {OutsideText.Of(address)} gives for a manifest of {endpoint.Name.Shortest} has the digest {actual}, and the list says {choice.Digest}.",
            new FaultFacts { Name = endpoint.Name.Shortest, Digest = choice.Digest.ToString(), ActualDigest = actual.ToString(), Uri = OutsideText.Of(address) })
        { IsTransient = true };
    }

    private byte[] FetchText(Uri address, string accept, Func<ModelFaultException> notFound, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = _transport.Get(new HttpQuery(address, accept), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            throw notFound();
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw StatusFault.From(response, address, cancellationToken);
        }

        using BodyStream body = BodyStream.Open(response, _options.OperationTimeout, cancellationToken);
        return ReadBounded(body, address);
    }

    private static ModelFaultException NotFound(RegistryEndpoint endpoint, string message, Uri address, string? remedy = null) =>
        new(ModelFault.ManifestNotFound, message, new FaultFacts { Name = endpoint.Name.Shortest, Uri = OutsideText.Of(address), StatusCode = 404, Remedy = remedy });

    /// <summary>Reads one byte past the bound at most, so that the reader sees that it is broken. The bound on silence alone would
    /// let a manifest of single bytes take for years.</summary>
    private byte[] ReadBounded(BodyStream body, Uri address)
    {
        Stopwatch sinceHead = Stopwatch.StartNew();
        byte[] buffer = new byte[16 * 1024];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, ManifestReader.MaximumBytes + 1));
            }

            int read = body.Read(buffer, length, buffer.Length - length);
            length += read;
            if (_options.OperationTimeout != Timeout.InfiniteTimeSpan && sinceHead.Elapsed > _options.OperationTimeout + TimeSpan.FromMilliseconds(length))
            {
                throw new ModelFaultException(
                    ModelFault.TransferStalled,
                    $"{OutsideText.Of(address)} sends less than a kilobyte a second.",
                    new FaultFacts { Uri = OutsideText.Of(address) })
                { IsTransient = true };
            }

            if (read == 0 || length > ManifestReader.MaximumBytes)
            {
                Array.Resize(ref buffer, length);
                return buffer;
            }
        }
    }
}
