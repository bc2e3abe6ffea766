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
    private const string AcceptManifest = MediaTypes.DockerManifest + ", " + MediaTypes.OciManifest;

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

    /// <summary>Fetches and checks a model's manifest; blocks until it is there.</summary>
    /// <exception cref="ModelFaultException">It cannot be had, or cannot be used.</exception>
    public Manifest GetManifest(ModelName name, CancellationToken cancellationToken)
    {
        RegistryEndpoint endpoint = new(name, _options);
        return Retries.Run(token => FetchManifest(endpoint, token), onRetry: null, cancellationToken);
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose() => _transport.Dispose();

    internal void Trace(string message) => _options.Trace?.Invoke(message);

    /// <summary>The source of one blob; it resolves the blob's address when it is first asked for bytes.</summary>
    internal BlobSource OpenBlob(Manifest manifest, Layer layer) => new(_transport, _options, RegistryEndpoint.Of(manifest, _options), layer);

    private Manifest FetchManifest(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        HttpQuery query = new(endpoint.ManifestAddress, AcceptManifest);
        using HttpResponseMessage response = _transport.Get(query, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            throw new ModelFaultException(
                ModelFault.ManifestNotFound,
                $"The registry {endpoint.ManifestAddress.Authority} has no model '{endpoint.Name.Shortest}'.",
                new FaultFacts { Name = endpoint.Name.Shortest, Uri = OutsideText.Of(endpoint.ManifestAddress), StatusCode = 404 });
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw StatusFault.From(response, endpoint.ManifestAddress, cancellationToken);
        }

        using BodyStream body = BodyStream.Open(response, _options.OperationTimeout, cancellationToken);
        byte[] bytes = ReadBounded(body, endpoint.ManifestAddress);
        return ManifestReader.Read(endpoint.Name, endpoint.ManifestAddress.AbsoluteUri, bytes);
    }

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
