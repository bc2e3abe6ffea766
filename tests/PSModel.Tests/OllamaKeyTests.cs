using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Models that Ollama's own key opens, in real PowerShell, with a key of <c>ssh-keygen</c>'s and OpenSSL as who verifies.</summary>
public sealed class OllamaKeyTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);

    [NeedsFact("ssh-keygen", "openssl")]
    public async Task A_registry_of_ones_own_that_refuses_anybody_takes_a_signature()
    {
        using SshKey key = await SshKey.MakeAsync();
        OllamaVerifier verifier = new(_registry, key);
        string all = await SaveAsync(key, verifier);
        Assert.Equal(_model.Blobs.Count, all.Split("blob Downloaded").Length - 1);
        Assert.Equal(2, verifier.Asked.Count);
        Assert.Single(verifier.Signatures);
        Assert.Contains("signer BouncyCastle.Cryptography", all, StringComparison.Ordinal);
    }

    [NeedsFact("ssh-keygen", "openssl")]
    public async Task Another_host_than_the_registrys_gets_none()
    {
        await using LoopbackRegistry other = LoopbackRegistry.Start();
        using SshKey key = await SshKey.MakeAsync();
        OllamaVerifier elsewhere = new(other, key);
        OllamaVerifier verifier = new(_registry, key) { Realm = elsewhere.Realm };
        string all = await SaveAsync(key, verifier);
        Assert.Contains("gives no token without credentials (401)", all, StringComparison.Ordinal);
        Assert.Empty(verifier.Asked);
        Assert.Single(elsewhere.Asked);
        Assert.Empty(elsewhere.Signatures);
    }

    /// <summary>With an outdated token, too, that was left for Hugging Face: what is not taken is left out.</summary>
    [NeedsTheory("ssh-keygen", "openssl")]
    [InlineData("demo", "https://ollama.com/token", "ollama.com registry.ollama.ai")]
    [InlineData("hf.co/library/demo:latest", "https://huggingface.co/token", "hf.co huggingface.co")]
    public async Task A_registry_of_Ollamas_is_shown_a_signature_at_once(string name, string realm, string hosts)
    {
        using SshKey key = await SshKey.MakeAsync();
        OllamaVerifier verifier = new(_registry, key) { Realm = new Uri(realm) };
        await using TunnelProxy proxy = new(_registry.EndPoint);
        _registry.Offer(_model);
        string all = await SaveAsync(key, verifier, name, [("HF_TOKEN", "stale"), .. proxy.Environment]);
        Assert.Equal(_model.Blobs.Count, all.Split("blob Downloaded").Length - 1);
        Assert.Single(verifier.Asked);
        Assert.Single(verifier.Signatures);
        Assert.Equal(name.StartsWith("hf.co", StringComparison.Ordinal), _registry.Requests.Any(request => request.Headers.GetValueOrDefault("authorization") == "Bearer stale"));
        Assert.Equal(hosts, string.Join(' ', proxy.Hosts.Order(StringComparer.Ordinal)));
    }

    [NeedsTheory("ssh-keygen", "openssl")]
    [InlineData("demo", "https://elsewhere.example/token", "registry.ollama.ai")]
    [InlineData("hf.co/library/demo:latest", "https://ollama.com/token", "hf.co")]
    public async Task For_a_registry_of_Ollamas_nobody_else_is_asked(string name, string realm, string hosts)
    {
        using SshKey key = await SshKey.MakeAsync();
        OllamaVerifier verifier = new(_registry, key) { Realm = new Uri(realm) };
        await using TunnelProxy proxy = new(_registry.EndPoint);
        string all = await SaveAsync(key, verifier, name, proxy.Environment);
        Assert.Contains("UntrustedRealm", all, StringComparison.Ordinal);
        Assert.Contains(new Uri(realm).Host, all, StringComparison.Ordinal);
        Assert.Equal(hosts, string.Join(' ', proxy.Hosts));
        Assert.Empty(verifier.Asked);
    }

    [NeedsTheory("ssh-keygen", "openssl")]
    [InlineData("encrypted", "protected by a passphrase", "ssh-keygen -p -f")]
    [InlineData("damaged", "cannot be used: it is damaged", "Put back the key")]
    [InlineData("unknown", "It was asked with a signature", "id_ed25519.pub")]
    [InlineData("missing", "Nothing is signed: there is no key of Ollama", "-Credential or -Token")]
    public async Task What_is_wrong_with_the_key_is_told_and_what_to_do(string what, string expected, string remedy)
    {
        using SshKey key = await SshKey.MakeAsync(passphrase: what == "encrypted" ? "long word" : string.Empty);
        using SshKey others = await SshKey.MakeAsync();
        OllamaVerifier verifier = new(_registry, what == "unknown" ? others : key);
        string[] secret = [.. key.PrivateLines];
        if (what == "damaged")
        {
            File.WriteAllText(key.Path, File.ReadAllText(key.Path).Replace(secret[^1], string.Empty, StringComparison.Ordinal));
        }
        else if (what == "missing")
        {
            File.Delete(key.Path);
        }

        string all = await SaveAsync(key, verifier);
        Assert.Contains("AuthenticationFailed", all, StringComparison.Ordinal);
        Assert.Contains(expected, all, StringComparison.Ordinal);
        Assert.Contains(remedy, all, StringComparison.Ordinal);
        Assert.All(secret, line => Assert.DoesNotContain(line, all, StringComparison.Ordinal));
        Assert.Equal(what == "unknown" ? 1 : 0, verifier.Signatures.Count());
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    /// <summary>As the user whose home has the key, and without the tester's own credentials.</summary>
    private async Task<string> SaveAsync(SshKey key, OllamaVerifier verifier, string? name = null, params (string Name, string Value)[] environment)
    {
        string[] secret = File.Exists(key.Path) ? [.. key.PrivateLines] : [];
        using ChildProcess process = ChildProcess.StartScript(
            $$"""
            $VerbosePreference = $DebugPreference = 'Continue'
            & {
                Save-ModelBlob {{name ?? _registry.Offer(_model)}} '{{_store.Path}}' -VerifyInline -ErrorVariable failed | ForEach-Object { "blob $($_.Status)" }
                foreach ($one in $failed) { $one.FullyQualifiedErrorId; $one.ErrorDetails.RecommendedAction; $one.Exception.ToString() }
                [System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -EQ PSModel | ForEach-Object Assemblies | ForEach-Object { "signer $($_.GetName().Name)" }
            } *>&1 | Out-String -Width 900 -Stream
            """,
            [("HOME", key.Home),
            ("DOCKER_CONFIG", key.Home),
            ("REGISTRY_AUTH_FILE", string.Empty),
            ("HF_TOKEN", string.Empty),
            .. environment]);
        await process.WaitAsync();
        string all = process.Output + process.Error;
        Assert.All(secret, line => Assert.DoesNotContain(line, all, StringComparison.Ordinal));
        Assert.All(verifier.Signatures, signature => Assert.DoesNotContain(signature, all, StringComparison.Ordinal));
        Assert.DoesNotContain("Bearer ", all, StringComparison.Ordinal);
        return all;
    }
}
