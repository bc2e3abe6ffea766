using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PSModel.Loopback;

/// <summary>
/// A registry on loopback that serves models from memory, and misbehaves on command as no real one does. Thread-safe.
/// </summary>
public sealed class LoopbackRegistry : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, BlobContent> _blobs = new();
    private readonly ConcurrentDictionary<string, byte[]> _manifests = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly ConcurrentQueue<LoopbackRequest> _requests = new();
    private readonly Task _accepting;
    private int _requestCount;
    private int _connectionCount;
    private long _bytesSent;
    private long _blobBytesSent;

    private LoopbackRegistry(TcpListener listener)
    {
        _listener = listener;
        EndPoint = (IPEndPoint)listener.LocalEndpoint;
        Address = LoopbackListener.AddressOf(listener);
        _accepting = AcceptAsync();
    }

    /// <summary>Changes each answer before it is sent; called from several threads at once.</summary>
    public Action<LoopbackRequest, LoopbackAnswer>? Fault { get; set; }

    /// <summary>Says of each connection, counted from 1, whether it is reset as soon as it is there.</summary>
    public Func<int, bool>? Refuses { get; set; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Scheme and host, and the port unless it is the usual one.</summary>
    public Uri Address { get; }

    /// <summary>The same, by another host than a registry beside it has.</summary>
    public Uri OtherAddress => EndPoint.Address.Equals(IPAddress.Loopback) ? new Uri($"http://localhost:{EndPoint.Port}") : Address;

    /// <summary>The bytes of blobs that were sent.</summary>
    public long BlobBytesSent => Interlocked.Read(ref _blobBytesSent);

    /// <summary>The bytes of all bodies that were sent.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>The requests so far, in order of their arrival.</summary>
    public IReadOnlyList<LoopbackRequest> Requests => [.. _requests];

    /// <summary>Starts a registry.</summary>
    /// <param name="port">The port; 0 for an address that is free.</param>
    public static LoopbackRegistry Start(int port = 0) => new(port == 0 ? LoopbackListener.Start() : LoopbackListener.Start(port));

    /// <summary>Starts a registry whose models have names that Windows can hold, on any system.</summary>
    public static LoopbackRegistry StartWithoutPort() => new(LoopbackListener.StartWithoutPort());

    /// <summary>Starts a registry that only IPv6 reaches.</summary>
    public static LoopbackRegistry StartAtIPv6() => new(LoopbackListener.StartAtIPv6());

    /// <summary>Offers a model.</summary>
    /// <returns>The name under which to ask for it, with scheme and host.</returns>
    public string Offer(LoopbackModel model)
    {
        foreach (BlobContent blob in model.Blobs)
        {
            _blobs[blob.Digest] = blob;
        }

        _manifests[$"/v2/{model.Name}/manifests/{model.Tag}"] = model.Manifest;
        return $"{Address.GetLeftPart(UriPartial.Authority)}/{model.Name}:{model.Tag}";
    }

    /// <summary>Offers bytes under a digest that need not be theirs.</summary>
    public void OfferBlob(string digest, BlobContent content) => _blobs[digest] = content;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stop.Dispose();
        _listener.Dispose();
    }

    internal void Count(LoopbackRequest request, int bytes)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        if (request.IsBlob)
        {
            Interlocked.Add(ref _blobBytesSent, bytes);
        }
    }

    internal LoopbackRequest Note(string path, IReadOnlyDictionary<string, string> headers, int connection)
    {
        LoopbackRequest request = new(path, headers, Interlocked.Increment(ref _requestCount), connection);
        _requests.Enqueue(request);
        return request;
    }

    internal LoopbackAnswer Answer(LoopbackRequest request)
    {
        LoopbackAnswer answer = new();
        string path = request.Path.Split('?')[0];
        if (_manifests.TryGetValue(path, out byte[]? manifest))
        {
            answer.Headers["Content-Type"] = "text/plain; charset=utf-8";
            answer.Content = BlobContent.Of(manifest);
            answer.Length = manifest.Length;
        }
        else if (request.IsBlob && _blobs.TryGetValue(request.Leaf, out BlobContent? blob))
        {
            AnswerBlob(request, answer, blob);
        }
        else
        {
            answer.Become(404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}", "application/json");
        }

        Fault?.Invoke(request, answer);
        return answer;
    }

    private static void AnswerBlob(LoopbackRequest request, LoopbackAnswer answer, BlobContent blob)
    {
        answer.Headers["Content-Type"] = "application/octet-stream";
        answer.Headers["Accept-Ranges"] = "bytes";
        answer.Headers["ETag"] = $"\"{request.Leaf}\"";
        answer.Content = blob;
        answer.Length = blob.Length;
        if (request.Range is { } range)
        {
            long last = Math.Min(range.Last ?? long.MaxValue, blob.Length - 1);
            answer.Status = 206;
            answer.Start = range.First;
            answer.Length = last - range.First + 1;
            answer.Headers["Content-Range"] = $"bytes {range.First}-{last}/{blob.Length}";
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await LoopbackListener.AcceptAsync(_listener, _stop.Token);
                LoopbackConnection connection = new(this, socket, ++_connectionCount);
                Task serving = Task.Run(() => connection.ServeAsync(_stop.Token));
                _connections[serving] = 0;
                _ = serving.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // Disposed of: there is nobody left to serve. Between two connections a listener says that it does not listen.
        }
    }
}
