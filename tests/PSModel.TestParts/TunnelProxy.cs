using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PSModel.TestParts;

/// <summary>A proxy at whose other end the hosts of the world are played by a registry of the tests: it shows certificates of an
/// authority of its own for them. Thread-safe.</summary>
public sealed class TunnelProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private readonly IPEndPoint _end;
    private readonly List<string> _hosts = [];
    private readonly List<Task> _tunnels = [];
    private readonly Task _accepting;

    /// <summary>Starts it.</summary>
    /// <param name="end">Where a tunnel leads, whatever host it is to lead to.</param>
    public TunnelProxy(IPEndPoint end)
    {
        _end = end;
        CertificateRequest request = new("CN=authority of the tests", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it is, and whom to trust, for a process that is to use it.</summary>
    public (string Name, string Value)[] Environment => [("https_proxy", $"http://{_listener.LocalEndpoint}"), ("no_proxy", string.Empty), ("SSL_CERT_FILE", AuthorityFile)];

    /// <summary>The hosts that tunnels were to lead to.</summary>
    public IReadOnlyList<string> Hosts
    {
        get
        {
            lock (_hosts)
            {
                return [.. _hosts.Distinct()];
            }
        }
    }

    private string AuthorityFile => Path.Combine(_folder.Path, "authority.pem");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_tunnels);
        _authority.Dispose();
        _key.Dispose();
        _stop.Dispose();
        _folder.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _tunnels.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient _ = client;
        try
        {
            NetworkStream near = client.GetStream();
            string host = (await ReadHeadAsync(near)).Split(' ')[1].Split(':')[0];
            lock (_hosts)
            {
                _hosts.Add(host);
            }

            await near.WriteAsync("HTTP/1.1 200 There\r\n\r\n"u8.ToArray(), _stop.Token);
            await using SslStream inner = new(near);
            using X509Certificate2 certificate = Issue(host);
            await inner.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stop.Token);
            using TcpClient far = new();
            await far.ConnectAsync(_end, _stop.Token);
            await Task.WhenAny(inner.CopyToAsync(far.GetStream(), _stop.Token), far.GetStream().CopyToAsync(inner, _stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or AuthenticationException)
        {
            // Either side has gone.
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        StringBuilder head = new();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private X509Certificate2 Issue(string host)
    {
        CertificateRequest request = new($"CN={host}", _key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 bare = request.Create(_authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return bare.CopyWithPrivateKey(_key);
    }
}
