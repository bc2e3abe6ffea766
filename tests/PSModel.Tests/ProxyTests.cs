using System.Globalization;
using System.Management.Automation;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>squid between the module and the registry.</summary>
public sealed class ProxyTests : ConnectionTests
{
    private const string DenyAll = "http_access deny all";

    [NeedsFact(SquidProxy.Program, Nginx.Program, Certificate.Program)]
    public async Task A_proxy_that_asks_for_a_user_gets_one_and_nobody_else_does()
    {
        Certificate authority = await Certificate.MakeAuthorityAsync(Folder.Path);
        using Nginx nginx = await Nginx.StartBeforeAsync(Folder.Path, Registry.Address, await authority.IssueAsync("server", $"DNS:{SquidProxy.Host}"));
        using SquidProxy squid = await SquidProxy.StartGuardedAsync(Folder.Path, User, Hash);
        (string, string) trust = ("SSL_CERT_FILE", authority.Path);
        string address = string.Create(CultureInfo.InvariantCulture, $"https://{SquidProxy.Host}:{nginx.Port}");

        // The host is known to the proxy alone: whatever came went by it.
        await AssertSavedAsync(address, $"-Proxy {squid.Address} {ProxyUser}", trust);
        string known = squid.Address.Replace("http://", $"http://{User}:{Secret}@", StringComparison.Ordinal);
        await AssertSavedAsync(address, string.Empty, trust, ("https_proxy", known));
        Assert.All(Registry.Requests, request => Assert.DoesNotContain(request.Headers.Keys, name => name is "proxy-authorization" or "authorization"));

        string unknown = await SaveAsync(address, $"-Proxy {squid.Address}", trust);
        Assert.Contains($"The proxy {squid.Address} refuses whom it does not know (407).", unknown, StringComparison.Ordinal);
        Assert.Contains("advice: Give a user and a password by -ProxyCredential.", unknown, StringComparison.Ordinal);
        Assert.Equal(2, unknown.Split("→ none").Length);
        string byEnvironment = await SaveAsync(address, string.Empty, trust, ("https_proxy", squid.Address));
        Assert.Contains("-ProxyCredential, and -Proxy with it.", byEnvironment, StringComparison.Ordinal);
        string wrong = await SaveAsync(address, $"-Proxy {squid.Address} {ProxyUser.Replace("-word", "-work", StringComparison.Ordinal)}", trust);
        Assert.Contains($"The proxy {squid.Address} refuses the credentials that it was shown (407).", wrong, StringComparison.Ordinal);
        Assert.Contains("Correct what is given by -ProxyCredential.", wrong, StringComparison.Ordinal);
        string past = await SaveAsync(address, "-NoProxy", trust, ("https_proxy", known));
        Assert.Contains($"https://{SquidProxy.Host}:{nginx.Port} cannot be reached", past, StringComparison.Ordinal);
    }

    [NeedsFact(SquidProxy.Program, DockerRegistry.Program)]
    public async Task A_named_proxy_leads_to_this_machine_as_well_with_manifest_token_and_blobs()
    {
        using TokenEndpoint tokens = new(null, null);
        using DockerRegistry open = await DockerRegistry.StartAsync();
        await open.PushAsync(Model);
        using DockerRegistry guarded = await open.StartGuardedAsync(tokens.Configuration);
        using SquidProxy squid = await SquidProxy.StartGuardedAsync(Folder.Path, User, Hash);

        await AssertSavedAsync(guarded.Address.GetLeftPart(UriPartial.Authority), $"-Proxy {squid.Address} {ProxyUser}");

        await Until.HoldsAsync(() => Model.Blobs.All(blob => squid.Log.Contains(blob.Digest, StringComparison.Ordinal)));
        Assert.Contains("/manifests/latest", squid.Log, StringComparison.Ordinal);
        Assert.Contains($"{tokens.Address}token?", squid.Log, StringComparison.Ordinal);
        Assert.Contains("TCP_DENIED/407", await LogAsync(squid, $"-Proxy {squid.Address}", guarded.Address), StringComparison.Ordinal);
    }

    [NeedsFact(SquidProxy.Program)]
    public async Task A_proxy_that_refuses_is_named()
    {
        using SquidProxy squid = await SquidProxy.StartAsync(DenyAll);
        ErrorRecord tunnel = Fail("https://registry.test", squid.Address);
        Assert.Equal($"The proxy {squid.Address} refuses to lead to registry.test (403).", tunnel.Exception.Message);
        Assert.Contains("-NoProxy", tunnel.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(403, tunnel.Exception.GetType().GetProperty("StatusCode")!.GetValue(tunnel.Exception));
        ErrorRecord plain = Fail("http://registry.test", squid.Address);
        Assert.Equal($"The proxy {squid.Address} refuses to lead to registry.test (403).", plain.Exception.Message);
        Assert.Empty(Registry.Requests);
    }

    [NeedsFact(SquidProxy.Program)]
    public async Task A_proxy_that_cannot_reach_the_registry_is_named()
    {
        using SquidProxy squid = await SquidProxy.StartAsync();
        string closed = string.Create(CultureInfo.InvariantCulture, $"{SquidProxy.Host}:{FreePort.Find()}");
        foreach (string scheme in new[] { "https", "http" })
        {
            ErrorRecord error = Fail($"{scheme}://{closed}", squid.Address);
            Assert.Equal($"The proxy {squid.Address} cannot reach {closed} (503).", error.Exception.Message);
        }
    }

    [Theory]
    [InlineData("https://registry.test")]
    [InlineData("http://127.0.0.1:5000")]
    public void A_proxy_that_is_dead_is_named(string registry)
    {
        string proxy = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}");
        ErrorRecord error = Fail(registry, proxy);
        Assert.StartsWith($"The proxy {proxy} cannot be reached (", error.Exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("Correct the address given with -Proxy", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.StartsWith("The proxy http://proxy.invalid:3128 cannot be reached (", Fail(registry, "http://proxy.invalid:3128").Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_proxy_of_the_environment_is_named_with_its_variable()
    {
        string proxy = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}");
        string all = await SaveAsync("https://registry.test", string.Empty, ("https_proxy", proxy), ("HTTPS_PROXY", proxy));
        Assert.Contains($"The proxy {proxy} cannot be reached (", all, StringComparison.Ordinal);
        Assert.Contains("https_proxy", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Proxy http://p:1 -NoProxy", "-NoProxy and -Proxy")]
    [InlineData("-ProxyCredential $me", "-ProxyCredential is for the proxy that -Proxy names")]
    [InlineData("-ProxyUseDefaultCredentials", "-ProxyUseDefaultCredentials is for the proxy that -Proxy names")]
    [InlineData("-Proxy http://p:1 -ProxyCredential $me -ProxyUseDefaultCredentials", "-ProxyCredential and -ProxyUseDefaultCredentials")]
    [InlineData("-Proxy proxy:1", "'proxy:1' is not the address of a proxy")]
    [InlineData("-Proxy ftp://p", "'ftp://p' is not the address of a proxy")]
    [InlineData("-Proxy p", "'p' is not the address of a proxy")]
    [InlineData("-Proxy http://me:s3cret-word@p:1", "holds a user name or a password")]
    [InlineData("-Proxy me:s3cret-word@p:1", "holds a user name or a password")]
    public void Arguments_that_do_not_go_together_are_refused(string arguments, string why)
    {
        using EngineSession engine = new();
        foreach (string command in new[] { "Save-ModelBlob demo $args[0]", "Get-ModelManifest demo" })
        {
            EngineResult result = engine.Run($"$me = [pscredential]::new('me', [securestring]::new()); {command} {arguments}", Store);
            ErrorRecord error = Assert.Single(result.Errors);
            Assert.StartsWith("AmbiguousArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Contains(why, error.Exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, $"{error}{error.ErrorDetails.RecommendedAction}{error.TargetObject}", StringComparison.Ordinal);
            Assert.False(string.IsNullOrEmpty(error.ErrorDetails.RecommendedAction));
        }
    }

    [Fact]
    public void What_is_within_the_machine_goes_to_no_proxy_elsewhere_over_plain_http()
    {
        using EngineSession engine = new();
        const string Get = "Get-ModelManifest $args[0] -Proxy http://proxy.invalid:3128 -MaximumRetryCount 0";
        string name = $"{Registry.Address.GetLeftPart(UriPartial.Authority)}/library/demo";
        ErrorRecord error = engine.Run(Get, name).SingleError("UnencryptedRefused", ErrorCategory.SecurityError);
        Assert.Contains("-AllowUnencrypted", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        engine.Run($"{Get} -AllowUnencrypted", name).SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        const string Token = "$token = [securestring]::new(); $token.AppendChar('t');";
        engine.Run($"{Token} {Get} -AllowUnencrypted -Token $token", name).SingleError("UnencryptedRefused", ErrorCategory.SecurityError);
    }

    private async Task<string> LogAsync(SquidProxy squid, string arguments, Uri registry)
    {
        string all = await SaveAsync(registry.GetLeftPart(UriPartial.Authority), arguments);
        Assert.Contains($"The proxy {squid.Address} refuses whom it does not know (407).", all, StringComparison.Ordinal);
        await Until.HoldsAsync(() => squid.Log.Contains("TCP_DENIED/407", StringComparison.Ordinal));
        return squid.Log;
    }

    private static ErrorRecord Fail(string registry, string proxy)
    {
        using EngineSession engine = new();
        return engine.Run("Get-ModelManifest demo -Registry $args[0] -Proxy $args[1] -AllowUnencrypted -MaximumRetryCount 1 -RetryIntervalSec 0", registry, proxy)
            .SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
    }
}
