using System.Globalization;
using System.Text;
using System.Text.Json;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Servers;

/// <summary>nginx serving models' files from a folder in memory, as a registry whose blobs answer directly.</summary>
internal sealed class NginxRegistry : IDisposable
{
    private readonly string _folder;
    private Nginx? _nginx;

    private NginxRegistry(string folder, int port, Certificate? certificate)
    {
        _folder = folder;
        Port = port;
        Certificate = certificate;
    }

    public static bool IsInstalled => NeedsFactAttribute.Find(Nginx.Program) is not null;

    public int Port { get; }

    /// <summary>What it proves itself with, where it speaks TLS.</summary>
    public Certificate? Certificate { get; }

    /// <summary>The seconds of processor time so far, of master and worker.</summary>
    public double ProcessorSeconds => ServerProcessor.Seconds(_nginx!.Id);

    private string Address => $"{(Certificate is null ? "http" : "https")}://127.0.0.1:{Port}";

    private string Root => Path.Combine(_folder, "www");

    /// <summary>Starts it with models that have different names.</summary>
    public static async Task<NginxRegistry> StartAsync(string parent, LoopbackModel[] models, bool isEncrypted = false)
    {
        string folder = Directory.CreateDirectory(Path.Combine(parent, $"psmodel-bench-{Guid.NewGuid():N}")).FullName;
        NginxRegistry nginx = new(folder, FreePort.Find(), isEncrypted ? await Certificate.MakeAsync(folder) : null);
        Array.ForEach(models, nginx.WriteModel);
        nginx._nginx = await Nginx.StartAsync(folder, nginx.Port, nginx.Configuration(models));
        return nginx;
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

    /// <summary>The name to ask for a model by.</summary>
    public string Name(LoopbackModel model) => $"{Address}/{model.Name}:{model.Tag}";

    /// <summary>The address of a model's first blob.</summary>
    public string BlobAddress(LoopbackModel model) => $"{Address}/v2/{model.Name}/blobs/{model.Blobs[0].Digest}";

    /// <summary>The file of one of a model's blobs.</summary>
    public string BlobPath(LoopbackModel model, int at = 0) => Path.Combine(Root, "v2", model.Name, "blobs", model.Blobs[at].Digest);

    public void Dispose()
    {
        _nginx?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void WriteModel(LoopbackModel model)
    {
        string blobs = Directory.CreateDirectory(Path.Combine(Root, "v2", model.Name, "blobs")).FullName;
        string manifests = Directory.CreateDirectory(Path.Combine(Root, "v2", model.Name, "manifests")).FullName;
        foreach (BlobContent blob in model.Blobs)
        {
            Write(Path.Combine(blobs, blob.Digest), blob);
        }

        File.WriteAllBytes(Path.Combine(manifests, model.Tag), model.Manifest);
    }

    /// <summary>skopeo wants an answer from <c>/v2/</c>, and the type of each manifest.</summary>
    private string Configuration(LoopbackModel[] models)
    {
        StringBuilder manifests = new();
        foreach (LoopbackModel model in models)
        {
            using JsonDocument manifest = JsonDocument.Parse(model.Manifest);
            manifests.AppendLine(CultureInfo.InvariantCulture, $"location = /v2/{model.Name}/manifests/{model.Tag} {{ root {Root}; default_type {manifest.RootElement.GetProperty("mediaType").GetString()}; }}");
        }

        string encryption = Certificate is null
            ? string.Empty
            : $"ssl_certificate {Certificate.Path}; ssl_certificate_key {Certificate.KeyPath}; ssl_protocols TLSv1.2 TLSv1.3;";
        return string.Create(CultureInfo.InvariantCulture, $$"""
              sendfile on;
              tcp_nopush on;
              default_type application/octet-stream;
              {{encryption}}
              server {
                listen 127.0.0.1:{{Port}}{{(Certificate is null ? string.Empty : " ssl")}};
                location = /v2/ { default_type application/json; return 200 "{}"; }
                {{manifests}}
                location / { root {{Root}}; }
              }
            """);
    }
}
