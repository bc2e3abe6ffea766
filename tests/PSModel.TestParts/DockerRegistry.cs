using System.Globalization;
using System.Net;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>Debian's docker-registry, a real OCI registry, on loopback with storage of its own.</summary>
public sealed class DockerRegistry : IDisposable
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Program = "docker-registry";

    private readonly TemporaryFolder _folder;
    private readonly ChildProcess _process;

    private DockerRegistry(int port, string? folder, string authentication, string? copyOf)
    {
        _folder = new TemporaryFolder(folder);
        Address = new Uri($"http://127.0.0.1:{port}");
        string configuration = Path.Combine(_folder.Path, "config.yml");
        File.WriteAllText(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            version: 0.1
            log: {"{"} level: error, accesslog: {"{"} disabled: true {"}"} {"}"}
            storage: {"{"} filesystem: {"{"} rootdirectory: {copyOf ?? Path.Combine(_folder.Path, "storage")} {"}"} {"}"}
            http: {"{"} addr: 127.0.0.1:{port} {"}"}
            {authentication}
            """));
        _process = ChildProcess.Start(NeedsFactAttribute.Find(Program)!, ["serve", configuration]);
    }

    public Uri Address { get; }

    /// <summary>What the server has used of the processor so far.</summary>
    public TimeSpan ProcessorTime => _process.ProcessorTime;

    /// <summary>Forgets all that was pushed.</summary>
    public void Clear()
    {
        string storage = Path.Combine(_folder.Path, "storage");
        if (Directory.Exists(storage))
        {
            Directory.Delete(storage, recursive: true);
        }
    }

    /// <summary>Starts it, with its storage below a folder, or below the system's folder for temporary files.</summary>
    public static Task<DockerRegistry> StartAsync(string? folder = null) => StartAsync(folder, string.Empty, copyOf: null);

    /// <summary>Starts a second one on the same storage, which lets in whom its configuration says.</summary>
    /// <param name="authentication">The line of its configuration.</param>
    public Task<DockerRegistry> StartGuardedAsync(string authentication) => StartAsync(null, authentication, Path.Combine(_folder.Path, "storage"));

    /// <summary>Starts one that fetches from another what it is asked for, and keeps it.</summary>
    public static Task<DockerRegistry> StartCacheAsync(Uri remote) => StartAsync(null, $"proxy: {{ remoteurl: {remote.AbsoluteUri.TrimEnd('/')} }}", copyOf: null);

    private static async Task<DockerRegistry> StartAsync(string? folder, string authentication, string? copyOf)
    {
        DockerRegistry registry = new(FreePort.Find(), folder, authentication, copyOf);
        await registry.WaitUntilItAnswersAsync();
        return registry;
    }

    /// <summary>Pushes a model as Ollama would.</summary>
    /// <returns>The name under which to ask for it.</returns>
    public async Task<string> PushAsync(LoopbackModel model)
    {
        using HttpClient http = new();
        foreach (BlobContent blob in model.Blobs)
        {
            using HttpResponseMessage begun = await http.PostAsync(new Uri(Address, $"/v2/{model.Name}/blobs/uploads/"), null);
            begun.EnsureSuccessStatusCode();
            string location = begun.Headers.Location!.IsAbsoluteUri ? begun.Headers.Location.AbsoluteUri : new Uri(Address, begun.Headers.Location).AbsoluteUri;
            char separator = location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            using HttpResponseMessage ended = await http.PutAsync(new Uri($"{location}{separator}digest={blob.Digest}"), new BlobHttpContent(blob));
            ended.EnsureSuccessStatusCode();
        }

        using ByteArrayContent manifest = new(model.Manifest);
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(model.Manifest);
        manifest.Headers.ContentType = new(json.RootElement.GetProperty("mediaType").GetString()!);
        using HttpResponseMessage put = await http.PutAsync(new Uri(Address, $"/v2/{model.Name}/manifests/{model.Tag}"), manifest);
        put.EnsureSuccessStatusCode();
        return $"{Address.GetLeftPart(UriPartial.Authority)}/{model.Name}:{model.Tag}";
    }

    public void Dispose()
    {
        _process.Dispose();
        _folder.Dispose();
    }

    private async Task WaitUntilItAnswersAsync()
    {
        using HttpClient http = new();
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync(new Uri(Address, "/v2/"), patience.Token);
                return;
            }
            catch (HttpRequestException)
            {
                // It has no way to say that it listens: asking again is all there is.
                await Until.NextLookAsync();
            }
        }
    }

    private sealed class BlobHttpContent(BlobContent blob) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (long offset = 0; offset < blob.Length;)
            {
                ReadOnlyMemory<byte> piece = blob.Piece(offset, long.MaxValue);
                await stream.WriteAsync(piece);
                offset += piece.Length;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = blob.Length;
            return true;
        }
    }
}
