using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Web;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>A registry that takes uploads as the distribution specification has them, and misbehaves on command. Thread-safe.</summary>
public sealed class PushRegistry : IDisposable
{
    private readonly TcpListener _listener = LoopbackListener.Start();
    private readonly ConcurrentQueue<PushRequest> _requests = new();
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new();
    private readonly ConcurrentBag<Socket> _sockets = [];

    public PushRegistry() => _ = AcceptAsync();

    /// <summary>Scheme and host, and the port unless it is the usual one.</summary>
    public Uri Address => LoopbackListener.AddressOf(_listener);

    /// <summary>The blobs, by their digests.</summary>
    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new();

    /// <summary>The manifests, by their paths.</summary>
    public ConcurrentDictionary<string, byte[]> Manifests { get; } = new();

    /// <summary>Sees each request before its body is read, and says what goes wrong with it.</summary>
    public Action<PushRequest>? Fault { get; set; }

    /// <summary>Makes the Location of an upload of its path.</summary>
    public Func<string, string> LocationOf { get; set; } = path => path;

    /// <summary>The requests so far, in order of their arrival.</summary>
    public IReadOnlyList<PushRequest> Requests => [.. _requests];

    /// <summary>The uploads that were begun, and neither ended nor removed.</summary>
    public int OpenUploads => _uploads.Count;

    /// <summary>Begins an upload that another registry was asked for.</summary>
    /// <returns>Where it goes on.</returns>
    public string Begin(string path)
    {
        _uploads[path] = new MemoryStream();
        return new Uri(Address, path).AbsoluteUri;
    }

    /// <summary>Changes what uploads have brought so far.</summary>
    public void ChangeUploads(Action<byte[]> change)
    {
        foreach (MemoryStream upload in _uploads.Values)
        {
            change(upload.GetBuffer());
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (Socket socket in _sockets)
        {
            socket.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await LoopbackListener.AcceptAsync(_listener, CancellationToken.None);
                _sockets.Add(socket);
                _ = Task.Factory.StartNew(() => Serve(socket), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed of.
        }
    }

    private void Serve(Socket socket)
    {
        using (socket)
        {
            try
            {
                while (ReadHead(socket) is { } request && Answer(socket, request))
                {
                    // The connection is kept.
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The other side has gone.
            }
        }
    }

    private static PushRequest? ReadHead(Socket socket)
    {
        List<byte> head = [];
        byte[] one = new byte[1];
        while (!System.Runtime.InteropServices.CollectionsMarshal.AsSpan(head).EndsWith("\r\n\r\n"u8))
        {
            if (socket.Receive(one) == 0)
            {
                return null;
            }

            head.Add(one[0]);
        }

        string[] lines = Encoding.Latin1.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        Dictionary<string, string> headers = lines.Skip(1).Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0].ToLowerInvariant(), pair => pair[1].Trim());
        return new PushRequest(first[0], first[1], headers);
    }

    /// <returns>Whether the connection is kept.</returns>
    private bool Answer(Socket socket, PushRequest request)
    {
        Fault?.Invoke(request);
        _requests.Enqueue(request);
        string path = request.Path.Split('?')[0];
        if (request.IsUploadLost)
        {
            _uploads.TryRemove(path, out _);
        }

        long length = long.Parse(request.Headers.GetValueOrDefault("content-length", "0"), CultureInfo.InvariantCulture);
        if (request.Status is { } refused)
        {
            // A server that does not want a body closes the connection under it.
            Send(socket, request, refused, request.AnswerHeaders, request.AnswerText);
            return length == 0;
        }

        ReadBody(socket, request, length);
        if (request.CutAfter is not null)
        {
            TakeChunk(request, path);
            socket.LingerState = new LingerOption(true, 0);
            return false;
        }

        (int status, Dictionary<string, string> headers, string text) = Do(request, path);
        if (request.IsAnswerLost)
        {
            return false;
        }

        Send(socket, request, status, headers, text);
        return true;
    }

    private static void ReadBody(Socket socket, PushRequest request, long length)
    {
        if (length > 0 && request.Headers.GetValueOrDefault("expect") == "100-continue")
        {
            socket.Send("HTTP/1.1 100 Continue\r\n\r\n"u8);
        }

        long wanted = Math.Min(length, request.CutAfter ?? request.StallAfter ?? length);
        byte[] body = new byte[wanted];
        for (int read = 0; read < wanted;)
        {
            int count = socket.Receive(body, read, (int)wanted - read, SocketFlags.None);
            if (count == 0)
            {
                throw new IOException("The other side has ended.");
            }

            read += count;
        }

        request.Body = body;
        if (request.StallAfter is not null)
        {
            // Ends when the other side has enough of it.
            socket.Poll(-1, SelectMode.SelectError);
        }
    }

    private (int Status, Dictionary<string, string> Headers, string Text) Do(PushRequest request, string path)
    {
        string leaf = path.Split('/')[^1];
        Dictionary<string, string> headers = [];
        System.Collections.Specialized.NameValueCollection query = HttpUtility.ParseQueryString(request.Path.Contains('?', StringComparison.Ordinal) ? request.Path[request.Path.IndexOf('?', StringComparison.Ordinal)..] : string.Empty);
        switch (request.Method)
        {
            case "HEAD" or "GET" when path.Contains("/blobs/sha256:", StringComparison.Ordinal):
                return Blobs.TryGetValue(leaf, out byte[]? blob) ? (200, new() { ["Content-Length"] = $"{blob.Length}" }, request.Method == "GET" ? Encoding.Latin1.GetString(blob) : string.Empty) : (404, headers, string.Empty);
            case "GET" when path.Contains("/manifests/", StringComparison.Ordinal):
                return Manifests.TryGetValue(path, out byte[]? manifest) ? (200, headers, Encoding.Latin1.GetString(manifest)) : (404, headers, string.Empty);
            case "POST":
                string begun = $"{path}{Guid.NewGuid():N}";
                _uploads[begun] = new MemoryStream();
                return (202, new() { ["Location"] = LocationOf(begun), ["Range"] = "0-0" }, string.Empty);
            case "PUT" when path.Contains("/manifests/", StringComparison.Ordinal):
                Manifests[path] = request.Body;
                return (201, headers, string.Empty);
            case "DELETE":
                return (_uploads.TryRemove(path, out _) ? 204 : 404, headers, string.Empty);
        }

        if (!_uploads.TryGetValue(path, out MemoryStream? upload))
        {
            return (404, headers, "{\"errors\":[{\"code\":\"BLOB_UPLOAD_UNKNOWN\"}]}");
        }

        if (request.Method == "PUT")
        {
            upload.Write(request.Body);
            string digest = OllamaStore.DigestOf(upload.ToArray());
            _uploads.TryRemove(path, out _);
            if (digest != query["digest"])
            {
                return (400, headers, "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}");
            }

            Blobs[digest] = upload.ToArray();
            return (201, new() { ["Docker-Content-Digest"] = digest }, string.Empty);
        }

        bool isTaken = request.Method == "GET" || TakeChunk(request, path);
        headers["Location"] = LocationOf(path);
        headers["Range"] = $"0-{Math.Max(0, upload.Length - 1)}";
        return (!isTaken ? 416 : request.Method == "GET" ? 204 : 202, headers, string.Empty);
    }

    private bool TakeChunk(PushRequest request, string path)
    {
        if (!_uploads.TryGetValue(path, out MemoryStream? upload)
            || long.Parse(request.Headers.GetValueOrDefault("content-range", "0-0").Split('-')[0], CultureInfo.InvariantCulture) != upload.Length)
        {
            return false;
        }

        upload.Write(request.Body);
        return true;
    }

    private static void Send(Socket socket, PushRequest request, int status, Dictionary<string, string> headers, string text)
    {
        StringBuilder head = new($"HTTP/1.1 {status.ToString(CultureInfo.InvariantCulture)} Told\r\n");
        foreach ((string name, string value) in headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        if (status != 204 && !headers.ContainsKey("Content-Length"))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {(request.Method == "HEAD" ? 0 : text.Length)}\r\n");
        }

        socket.Send(Encoding.Latin1.GetBytes($"{head}\r\n{(request.Method == "HEAD" ? string.Empty : text)}"));
    }
}
