using System.Globalization;

namespace PSModel.TestParts;

/// <summary>A real nginx on loopback.</summary>
public sealed class Nginx : IDisposable
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Program = "nginx";

    private readonly ChildProcess _process;

    private Nginx(string folder, int port, string http)
    {
        Port = port;
        string configuration = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            worker_processes 1;
            daemon off;
            user root;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
            {{http}}
            }
            """);
        _process = ChildProcess.Start(NeedsFactAttribute.Find(Program)!, ["-c", configuration, "-e", Path.Combine(folder, "error.log")]);
    }

    public int Port { get; }

    /// <summary>The process that leads the others.</summary>
    public int Id => _process.Id;

    /// <summary>Starts it.</summary>
    /// <param name="folder">Where its files are; it belongs to the caller.</param>
    /// <param name="port">The port of 127.0.0.1 that the configuration listens at.</param>
    /// <param name="http">What its configuration has in <c>http</c>.</param>
    public static async Task<Nginx> StartAsync(string folder, int port, string http)
    {
        Nginx nginx = new(folder, port, http);
        await FreePort.WaitForListenerAsync(port, nginx._process);
        return nginx;
    }

    /// <summary>Starts it as the encrypted side of a registry.</summary>
    /// <param name="folder">Where its files are; it belongs to the caller.</param>
    /// <param name="registry">Where the registry itself is.</param>
    /// <param name="certificate">What it proves itself with.</param>
    /// <param name="settings">More of the server's configuration.</param>
    public static Task<Nginx> StartBeforeAsync(string folder, Uri registry, Certificate certificate, string settings = "")
    {
        int port = FreePort.Find();
        return StartAsync(folder, port, string.Create(CultureInfo.InvariantCulture, $$"""
            server {
              listen 127.0.0.1:{{port}} ssl;
              ssl_certificate {{certificate.Path}};
              ssl_certificate_key {{certificate.KeyPath}};
              {{settings}}
              location / {
                proxy_pass {{registry.GetLeftPart(UriPartial.Authority)}};
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_set_header Host $http_host;
                proxy_buffering off;
              }
            }
            """));
    }

    public void Dispose() => _process.Dispose();
}
