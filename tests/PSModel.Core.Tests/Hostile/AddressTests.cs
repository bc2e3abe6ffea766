using System.Net.Sockets;
using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Addresses that hold secrets, or cannot be used.</summary>
public sealed class AddressTests
{
    private readonly List<string> _traced = [];

    [Theory]
    [InlineData($"https://me:{Shown.Secret}@mirror.example/")]
    [InlineData($"https://{Shown.Secret}@mirror.example/cache")]
    [InlineData($"https://:{Shown.Secret}@mirror.example")]
    [InlineData($"https://mirror.example/?token={Shown.Secret}")]
    [InlineData($"https://mirror.example/#{Shown.Secret}")]
    [InlineData($"//me:{Shown.Secret}@mirror.example/")]
    [InlineData($"me:{Shown.Secret}@mirror.example")]
    [InlineData($"ftp://me:{Shown.Secret}@mirror.example")]
    [InlineData($"file:///mirror?token={Shown.Secret}")]
    [InlineData("http://\u202E://1e999127.0.0.1[]")]
    [InlineData("https://\u200b/")]
    [InlineData("//\u202E/sha256-latest\uFFFD%2e%2e[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_localhost")]
    public void A_registry_whose_address_has_a_secret_or_cannot_be_used_is_refused(string registry)
    {
        ModelFaultException fault = Get("demo", new Uri(registry, UriKind.RelativeOrAbsolute));
        Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
        Shown.IsPlain(fault);
    }

    [Theory]
    [InlineData($"https://me:{Shown.Secret}@registry.example/library/demo", "password")]
    [InlineData($"me:{Shown.Secret}@registry.example/library/demo:latest", "password")]
    [InlineData($"https://{Shown.Secret}@registry.example/library/demo", "password")]
    [InlineData($"https://me:pass {Shown.Secret}@registry.example/library/demo", "password")]
    [InlineData($"https://me:pass/{Shown.Secret}@registry.example/library/demo", "password")]
    [InlineData($"https://me:'{Shown.Secret}'@registry.example/library/demo", "password")]
    [InlineData("demo\u001b[31m", "model contains")]
    [InlineData("demo\u202e", "model contains")]
    [InlineData("\ud800demo", "model begins")]
    [InlineData("demo:\0", "tag begins")]
    [InlineData("demo@sha256:000000000000000000000000000000000000000000000000000000000000000", "demo@sha256:0000")]
    public void A_name_is_refused_without_being_repeated_as_it_is(string name, string said)
    {
        ModelFaultException fault = Get(name, null);
        Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
        Assert.Contains(said, fault.Message, StringComparison.Ordinal);
        Shown.IsPlain(fault);
    }

    [Fact]
    public void A_long_name_is_not_repeated_in_full() => Shown.IsPlain(Get(new string('x', 20_000), null));

    [Fact]
    public void A_long_digest_is_not_repeated_in_full() =>
        Shown.IsPlain(Assert.Throws<ModelFaultException>(() => BlobDigest.Parse($"sha256:{Shown.Hostile}{new string('a', 20_000)}")));

    /// <summary>A host may have 350 characters, which no resolver takes.</summary>
    [Fact]
    public void A_host_that_cannot_be_is_a_fault_of_the_network()
    {
        ModelFaultException fault = Get($"{string.Join('.', Enumerable.Repeat(new string('x', 50), 6))}/library/demo", null);
        Assert.True(fault.Fault is ModelFault.RegistryUnreachable or ModelFault.InvalidModelName, fault.ToString());
        Shown.IsPlain(fault);
    }

    [Theory]
    [InlineData("a..b")]
    [InlineData("xn--")]
    [InlineData("1.2.3.4.5.6")]
    [InlineData("0x7f.1")]
    [InlineData("a-.b-")]
    [InlineData("a_b")]
    [InlineData("x:")]
    [InlineData("x:0")]
    [InlineData("x:65536")]
    [InlineData("x::1")]
    [InlineData("1:2:3")]
    public void Hosts_that_look_like_one(string host)
    {
        ModelFaultException fault = Get($"{host}/library/demo", null);
        Assert.True(fault.Fault is ModelFault.RegistryUnreachable or ModelFault.InvalidModelName, fault.ToString());
        Shown.IsPlain(fault);
    }

    [Theory]
    [InlineData("{0}/v2/library/demo/manifests/latest")]
    [InlineData("http://me:s3cret@{1}/moved?X-Signature=s3cret#s3cret")]
    public void A_redirects_user_information_and_signature_are_shown_nowhere(string location)
    {
        using RawServer target = new($"HTTP/1.1 400 Bad");
        string to = string.Format(System.Globalization.CultureInfo.InvariantCulture, location, target.Address.GetLeftPart(UriPartial.Authority), target.Address.Authority);
        using RawServer server = new($"HTTP/1.1 307 Moved\r\nLocation: {to}");
        ModelFaultException fault = Get("demo", server.Address);
        Assert.Equal(ModelFault.UnexpectedStatus, fault.Fault);
        Shown.IsPlain(fault);
        Assert.Contains(_traced, line => line.Contains(target.Address.Authority, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData($"http://me:{Shown.Secret}@storage.example/blob?sig={Shown.Secret}", ModelFault.UntrustedRedirect)]
    [InlineData($"ftp://me:{Shown.Secret}@storage.example/blob?sig={Shown.Secret}", ModelFault.UntrustedRedirect)]
    [InlineData("http://storage\u009b31m.example/\u001b[31m", ModelFault.UnexpectedStatus)]
    [InlineData("file:///etc/passwd", ModelFault.UntrustedRedirect)]
    [InlineData("data:text/plain,\u001b[31m", ModelFault.UntrustedRedirect)]
    [InlineData("javascript:alert(1)", ModelFault.UntrustedRedirect)]
    [InlineData("unix:/run/docker.sock", ModelFault.UntrustedRedirect)]
    [InlineData("//[", ModelFault.UnexpectedStatus)]
    [InlineData("http://\u00ad/", ModelFault.UnexpectedStatus)]
    [InlineData("https://\u00ad\u00ad:1/", ModelFault.UnexpectedStatus)]
    [InlineData("http://127.0.0.1:70000/", ModelFault.UnexpectedStatus)]
    public void A_redirect_that_is_not_followed(string location, ModelFault expected)
    {
        using RawServer server = new($"HTTP/1.1 302 Found\r\nLocation: {location}");
        ModelFaultException fault = Get("demo", server.Address);
        Assert.Equal(expected, fault.Fault);
        Shown.IsPlain(fault);
    }

    [Fact]
    public void A_very_long_redirect_is_not_repeated_in_full()
    {
        using RawServer server = new($"HTTP/1.1 302 Found\r\nLocation: http://storage.example/{new string('x', 20_000)}");
        Shown.IsPlain(Get("demo", server.Address));
    }

    /// <summary>Where the manifest came from is where its blobs are asked for.</summary>
    [Theory]
    [InlineData("", "library/demo")]
    [InlineData("/v2", "library/demo")]
    [InlineData("/v2/cache/", "library/demo")]
    [InlineData("", "v2/v2")]
    public void Blobs_are_asked_for_beside_their_manifest(string path, string name)
    {
        List<string> asked = [];
        using RawServer server = new(at =>
        {
            asked.Add(at);
            string body = $$"""{"schemaVersion":2,"layers":[{"digest":"sha256:{{new string('a', 64)}}","size":1}]}""";
            return [Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}")];
        });
        using RegistryClient first = new(new RegistryOptions { Registries = [new Uri(server.Address + path.TrimStart('/'))] });
        Manifest manifest = first.GetManifest(ModelName.Parse(name), CancellationToken.None);
        using RegistryClient second = new(new RegistryOptions { MaximumRetryCount = 0 });

        Assert.Throws<ModelFaultException>(() => second.OpenBlob(manifest, manifest.Layers[0]).Open(new ByteRange(0, 1), CancellationToken.None));

        Assert.Equal([$"{path.TrimEnd('/')}/v2/{name}/manifests/latest", $"{path.TrimEnd('/')}/v2/{name}/blobs/sha256:{new string('a', 64)}"], asked);
    }

    private ModelFaultException Get(string name, Uri? registry)
    {
        RegistryOptions options = new() { Registries = registry is null ? [] : [registry], MaximumRetryCount = 0, Trace = _traced.Add, ConnectionTimeout = TimeSpan.FromSeconds(10) };
        using RegistryClient client = new(options);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse(name), CancellationToken.None));
        _traced.ForEach(Shown.IsPlain);
        return fault;
    }
}
