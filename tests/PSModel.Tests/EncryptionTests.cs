using System.Globalization;
using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>nginx with TLS before the registry, whose certificate is of a CA of the test.</summary>
public sealed class EncryptionTests : ConnectionTests
{
    private const string AskForCertificate = "ssl_verify_client on; ssl_client_certificate";

    private readonly int _plainPort = FreePort.Find();

    [NeedsFact(Nginx.Program, Certificate.Program)]
    public async Task A_CA_of_ones_own_is_trusted_or_left_unasked()
    {
        using Nginx nginx = await StartAsync();
        string address = Address(nginx);
        await AssertSavedAsync(address, string.Empty, ("SSL_CERT_FILE", Path.Combine(Folder.Path, "ca.pem")));
        int seen = Registry.Requests.Count;

        ErrorRecord error = Get(address, string.Empty).SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Contains("shows a certificate that is not trusted here", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("SSL_CERT_FILE", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("-SkipCertificateCheck", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(seen, Registry.Requests.Count);
        Assert.Empty(Get(address, "-SkipCertificateCheck").Errors);
    }

    [NeedsFact(Nginx.Program, Certificate.Program)]
    public async Task A_registry_that_wants_a_certificate_gets_the_one_that_is_given()
    {
        string authority = Path.Combine(Folder.Path, "ca.pem");
        using Nginx nginx = await StartAsync($"{AskForCertificate} {authority};");
        string address = Address(nginx);
        Certificate client = await new Certificate(authority, Path.ChangeExtension(authority, "key")).IssueAsync("client", "email:me@example.org");

        ErrorRecord without = Get(address, "-SkipCertificateCheck").SingleError("AuthenticationFailed", ErrorCategory.AuthenticationError);
        Assert.Contains("wants a client certificate", without.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Certificate", without.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(Registry.Requests);

        const string OfFile = "-Certificate ([System.Security.Cryptography.X509Certificates.X509Certificate2]::CreateFromPemFile";
        Assert.Empty(Get(address, $"-SkipCertificateCheck {OfFile}('{client.Path}', '{client.KeyPath}'))").Errors);
        await AssertSavedAsync(address, $"{OfFile}('{client.Path}', '{client.KeyPath}'))", ("SSL_CERT_FILE", authority));
        string keyless = $"-Certificate ([System.Security.Cryptography.X509Certificates.X509Certificate2]::new('{client.Path}'))";
        ErrorRecord refused = Assert.Single(Get(address, $"-SkipCertificateCheck {keyless}").Errors);
        Assert.Contains("has no private key", refused.Exception.Message, StringComparison.Ordinal);
    }

    /// <summary>nginx asks who it is, before a registry that sends for its blobs to another host.</summary>
    [NeedsFact(Nginx.Program, Certificate.Program)]
    public async Task What_is_shown_to_a_registry_goes_to_no_host_that_it_redirects_to()
    {
        string passwords = Path.Combine(Folder.Path, "htpasswd");
        await File.WriteAllTextAsync(passwords, $"{User}:{{PLAIN}}{Secret}\n");
        using Nginx nginx = await StartAsync($"auth_basic tests; auth_basic_user_file {passwords};");
        await using LoopbackRegistry storage = LoopbackRegistry.Start();
        storage.Offer(Model);
        string folder = Directory.CreateDirectory(Path.Combine(Folder.Path, "storage")).FullName;
        Certificate authority = new(Path.Combine(Folder.Path, "ca.pem"), Path.Combine(Folder.Path, "ca.key"));
        using Nginx storageNginx = await Nginx.StartBeforeAsync(folder, storage.Address, await authority.IssueAsync("storage", "IP:127.0.0.1"));
        Registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                answer.RedirectTo(Address(storageNginx) + request.Path);
            }
        };
        (string, string) trusted = ("SSL_CERT_FILE", authority.Path);

        Assert.Contains("wants credentials", await SaveAsync(Address(nginx), string.Empty, trusted), StringComparison.Ordinal);
        Assert.Empty(Registry.Requests);
        await AssertSavedAsync(Address(nginx), ProxyUser.Replace("-ProxyCredential", "-Credential", StringComparison.Ordinal), trusted);
        Assert.All(Registry.Requests, request => Assert.Contains("Authorization", request.Headers.Keys, StringComparer.OrdinalIgnoreCase));
        Assert.NotEmpty(storage.Requests);
        Assert.All(storage.Requests, request => Assert.DoesNotContain("Authorization", request.Headers.Keys, StringComparer.OrdinalIgnoreCase));
        string basic = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{Secret}"));
        Assert.All(storage.Requests, request => Assert.DoesNotContain($"{request.Path} {string.Join(" ", request.Headers.Values)}".Split(' '), word => word.Contains(basic, StringComparison.Ordinal) || word.Contains(Secret, StringComparison.Ordinal)));
    }

    [NeedsTheory(Certificate.Program)]
    [InlineData("-tls1_2", "RegistryUnreachable", ErrorCategory.ConnectionError)]
    [InlineData("-tls1_3", "AuthenticationFailed", ErrorCategory.AuthenticationError)]
    public async Task A_server_that_breaks_off_for_want_of_a_certificate_is_told_from_others(string version, string id, ErrorCategory category)
    {
        Certificate authority = await Certificate.MakeAuthorityAsync(Folder.Path);
        Certificate server = await authority.IssueAsync("server", "IP:127.0.0.1");
        int port = FreePort.Find();
        using ChildProcess openssl = ChildProcess.Start(
            NeedsFactAttribute.Find(Certificate.Program)!,
            ["s_server", "-accept", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "-cert", server.Path, "-key", server.KeyPath, "-CAfile", authority.Path, "-Verify", "1", version, "-www"]);
        await openssl.WaitForAsync("ACCEPT");
        ErrorRecord error = Get(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{port}"), "-SkipCertificateCheck").SingleError(id, category);
        Assert.Contains("-Certificate", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [NeedsFact(Nginx.Program, Certificate.Program)]
    public async Task The_versions_of_TLS_are_those_that_were_asked_for()
    {
        using Nginx nginx = await StartAsync("ssl_protocols TLSv1.2;");
        Assert.Empty(Get(Address(nginx), "-SkipCertificateCheck -SslProtocol Tls12").Errors);
        Assert.Empty(Get(Address(nginx), "-SkipCertificateCheck -SslProtocol Tls12, Tls13").Errors);
        Assert.Empty(Get(Address(nginx), "-SkipCertificateCheck -SslProtocol Default").Errors);
        ErrorRecord error = Get(Address(nginx), "-SkipCertificateCheck -SslProtocol Tls13").SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Contains("does not agree with this machine on how to encrypt", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-SslProtocol", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        using EngineSession engine = new();
        Assert.Equal(["Default", "Tls", "Tls11", "Tls12", "Tls13"], engine.Run("$line = 'Save-ModelBlob -SslProtocol '; (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText").Output.Select(word => word.ToString()));
    }

    [NeedsFact(Nginx.Program, Certificate.Program)]
    public async Task https_at_a_port_of_http_says_so_and_the_other_way_round()
    {
        using Nginx nginx = await StartAsync("listen 127.0.0.1:PLAIN;");
        ErrorRecord error = Get($"https://127.0.0.1:{_plainPort}", string.Empty).SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Contains("answers in plain http", error.Exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("Name it with http://", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        error = Get(Address(nginx).Replace("https", "http", StringComparison.Ordinal), string.Empty).SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
        Assert.Equal("Name it with https://.", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public async Task A_registry_that_only_IPv6_reaches()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.StartAtIPv6();
        registry.Offer(Model);
        using EngineSession engine = new();
        EngineResult saved = engine.Run("Save-ModelBlob demo $args[0] -Registry $args[1] -VerifyInline", Store, registry.Address.AbsoluteUri);
        Assert.Empty(saved.Errors);
        Assert.Equal(Model.Blobs.Count, saved.Output.Count);
        Assert.StartsWith("http://[::1]:", registry.Address.AbsoluteUri, StringComparison.Ordinal);
    }

    private async Task<Nginx> StartAsync(string settings = "")
    {
        Certificate authority = await Certificate.MakeAuthorityAsync(Folder.Path);
        Certificate server = await authority.IssueAsync("server", "IP:127.0.0.1");
        return await Nginx.StartBeforeAsync(Folder.Path, Registry.Address, server, settings.Replace("PLAIN", _plainPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
    }

    private static string Address(Nginx nginx) => string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{nginx.Port}");

    /// <summary>Reads the manifest, or fails to.</summary>
    private static EngineResult Get(string address, string arguments)
    {
        using EngineSession engine = new();
        return engine.Run($"Get-ModelManifest demo -Registry {address} -MaximumRetryCount 1 -RetryIntervalSec 0 {arguments}");
    }
}
