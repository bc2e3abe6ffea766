using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks;

/// <summary>nginx serving one model's files from a folder, as a registry whose blobs answer directly.</summary>
internal sealed class NginxRegistry : IDisposable
{
    private readonly string _folder;
    private readonly ChildProcess _process;

    private NginxRegistry(string folder, LoopbackModel model, int port)
    {
        _folder = folder;
        string root = Path.Combine(folder, "www");
        string blobs = Path.Combine(root, "v2", model.Name, "blobs");
        string manifests = Path.Combine(root, "v2", model.Name, "manifests");
        Directory.CreateDirectory(blobs);
        Directory.CreateDirectory(manifests);
        foreach (BlobContent blob in model.Blobs)
        {
            Write(Path.Combine(blobs, blob.Digest), blob);
        }

        File.WriteAllBytes(Path.Combine(manifests, model.Tag), model.Manifest);
        string configuration = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            worker_processes 1;
            daemon off;
            user root;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log;
            events { worker_connections 256; }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              default_type application/octet-stream;
              server { listen 127.0.0.1:{{port}}; location / { root {{root}}; } }
            }
            """));
        _process = ChildProcess.Start(NeedsFactAttribute.Find("nginx")!, ["-c", configuration, "-e", Path.Combine(folder, "error.log")]);
        Name = $"http://127.0.0.1:{port}/{model.Name}:{model.Tag}";
        BlobPath = Path.Combine(blobs, model.Blobs[0].Digest);
        BlobAddress = $"http://127.0.0.1:{port}/v2/{model.Name}/blobs/{model.Blobs[0].Digest}";
    }

    public string Name { get; }

    public string BlobPath { get; }

    public string BlobAddress { get; }

    public static async Task<NginxRegistry> StartAsync(string folder, LoopbackModel model)
    {
        NginxRegistry nginx = new(Directory.CreateDirectory(Path.Combine(folder, $"psmodel-bench-{Guid.NewGuid():N}")).FullName, model, FreePort.Find());
        using HttpClient http = new();
        for (DateTime patience = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < patience;)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync(new Uri(nginx.BlobAddress), HttpCompletionOption.ResponseHeadersRead);
                answer.EnsureSuccessStatusCode();
                return nginx;
            }
            catch (HttpRequestException e) when (e.StatusCode is null)
            {
                await Task.Delay(50);
            }
        }

        throw new InvalidOperationException($"nginx did not start: {nginx._process.Error}");
    }

    public static void Write(string path, BlobContent content)
    {
        using FileStream file = File.Create(path);
        for (long offset = 0; offset < content.Length;)
        {
            ReadOnlyMemory<byte> piece = content.Piece(offset, long.MaxValue);
            file.Write(piece.Span);
            offset += piece.Length;
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
