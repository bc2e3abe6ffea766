using System.Text;
using PSModel.Core.Authentication;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Authentication;

/// <summary>Who asks a registry, by what the environment and docker login left.</summary>
public sealed class CredentialFinderTests : IDisposable
{
    private const string Secret = "s3cret-word";

    private readonly TemporaryFolder _home = new();
    private readonly Dictionary<string, string> _variables = [];
    private readonly List<string> _told = [];

    private static string Both => Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Secret}"));

    public static TheoryData<string, string, string, string?> Files => new()
    {
        { "https://registry.example", """{"auths":{"registry.example":{"auth":"BOTH"}}}""", "Password", "me" },
        { "https://registry.example", """{"auths":{"https://registry.example/v1/":{"auth":"BOTH"}}}""", "Password", "me" },
        { "https://registry.example", """{"auths":{"REGISTRY.example":{"username":"me","password":"SECRET"}}}""", "Password", "me" },
        { "http://127.0.0.1:5000", """{"auths":{"127.0.0.1:5000":{"auth":"BOTH"}}}""", "Password", "me" },
        { "https://registry-1.docker.io", """{"auths":{"https://index.docker.io/v1/":{"auth":"BOTH"}}}""", "Password", "me" },
        { "https://registry.example", """{"auths":{"registry.example":{"auth":"BOTH","identitytoken":"SECRET"}}}""", "IdentityToken", "" },
        { "https://registry.example", """{"auths":{"registry.example":{"registrytoken":"SECRET"}}}""", "Token", "" },
        { "https://registry.example:444", """{"auths":{"registry.example":{"auth":"BOTH"}}}""", "", null },
        { "https://registry.example", """{"auths":{"registry.example.evil":{"auth":"BOTH"},"evil/registry.example":{"auth":"BOTH"}}}""", "", null },
        { "https://registry.example", "{}", "", null },
        { "https://registry.example", """{"auths":{"registry.example":{}}}""", "", null },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void What_docker_login_left_is_for_its_registry_alone(string registry, string config, string kind, string? user)
    {
        Write(config);
        RegistryCredential? found = Find(registry);
        Assert.Equal((kind, user), (found?.Kind.ToString() ?? string.Empty, found?.User));
        Assert.Equal(found is null ? null : Secret, found?.Secret);
        Assert.Empty(_told);
    }

    [Theory]
    [InlineData("not JSON, s3cret-word")]
    [InlineData("""{"auths":{"registry.example":{"auth":"!s3cret-word"}}}""")]
    [InlineData("""{"auths":{"registry.example":{"auth":"czNjcmV0LXdvcmQ="}}}""")]
    [InlineData("""["s3cret-word"]""")]
    [InlineData("""{"credHelpers":{"registry.example":"../s3cret-word"}}""")]
    [InlineData("""{"credsStore":"there-is-none-of-this-name"}""")]
    public void What_cannot_be_read_is_told_without_its_secrets_and_the_registry_is_asked_without(string config)
    {
        Write(config);
        Assert.Null(Find("https://registry.example"));
        Assert.DoesNotContain(Secret, Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_file_may_be_named()
    {
        Write("""{"auths":{"registry.example":{"auth":"BOTH"}}}""", "elsewhere/config.json");
        Assert.Null(Find("https://registry.example"));
        _variables["DOCKER_CONFIG"] = Path.Combine(_home.Path, "elsewhere");
        Assert.NotNull(Find("https://registry.example"));
        _variables.Remove("DOCKER_CONFIG");
        _variables["REGISTRY_AUTH_FILE"] = Path.Combine(_home.Path, "elsewhere", "config.json");
        Assert.NotNull(Find("https://registry.example"));
    }

    [Theory]
    [InlineData("https://hf.co", true)]
    [InlineData("https://huggingface.co", true)]
    [InlineData("http://hf.co", false)]
    [InlineData("https://hf.co:8443", false)]
    [InlineData("https://hf.co.example", false)]
    [InlineData("https://registry.example", false)]
    public void The_token_of_Hugging_Face_is_for_its_two_hosts(string registry, bool isShown)
    {
        _variables["HF_TOKEN"] = $" {Secret}\n";
        Assert.Equal(isShown ? Secret : null, Finder().FindToken(new RegistryAddress(new Uri(registry), IsNamed: false))?.Secret);
    }

    [Fact]
    public void What_a_call_gives_is_for_a_registry_that_it_names()
    {
        CredentialFinder finder = Finder(RegistryCredential.OfToken(Secret));
        Assert.Equal(Secret, finder.FindToken(new RegistryAddress(new Uri("https://registry.example"), IsNamed: true))?.Secret);
        Assert.Null(finder.FindToken(new RegistryAddress(new Uri("https://registry.example"), IsNamed: false)));
        Assert.Null(finder.Find(new RegistryAddress(new Uri("https://registry.example"), IsNamed: false), CancellationToken.None));
    }

    [NeedsFact("sh")]
    public void A_helper_is_asked_by_its_protocol()
    {
        Helper("test", """
            read server
            case "$1 $server" in
                "get registry.example") echo '{"ServerURL":"registry.example","Username":"me","Secret":"SECRET"}';;
                "get acr.example") echo '{"Username":"<token>","Secret":"SECRET"}';;
                "get none.example") echo 'credentials not found in native keychain'; exit 1;;
                *) echo 'SECRET' >&2; echo 'broken'; exit 1;;
            esac
            """);
        Write("""{"credHelpers":{"acr.example":"test"},"credsStore":"test"}""");
        Assert.Equal((CredentialKind.Password, "me", Secret), (Find("https://registry.example")!.Kind, Find("https://registry.example")!.User, Find("https://registry.example")!.Secret));
        Assert.Equal((CredentialKind.IdentityToken, Secret), (Find("https://acr.example")!.Kind, Find("https://acr.example")!.Secret));
        Assert.Null(Find("https://none.example"));
        Assert.Empty(_told);
        Assert.Null(Find("https://other.example"));
        Assert.DoesNotContain(Secret, Assert.Single(_told), StringComparison.Ordinal);
    }

    [NeedsFact("sh")]
    public void A_helper_in_the_current_folder_is_not_run()
    {
        string name = $"test-{Guid.NewGuid():N}";
        string path = Path.Combine(Environment.CurrentDirectory, $"docker-credential-{name}");
        string ran = Path.Combine(_home.Path, "ran");
        MakeProgram(path, $"touch {ran}");
        try
        {
            Write($"{{\"credsStore\":\"{name}\",\"auths\":{{\"registry.example\":{{\"auth\":\"BOTH\"}}}}}}");
            Assert.Equal("me", Find("https://registry.example")!.User);
            Assert.Contains("not to be found", Assert.Single(_told), StringComparison.Ordinal);
            Assert.False(File.Exists(ran));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [NeedsFact("sh")]
    public async Task A_helper_that_never_answers_is_stopped_with_the_call()
    {
        Helper("hanging", "while read line; do :; done; mkfifo $0.pipe; read x < $0.pipe");
        Write("""{"credsStore":"hanging"}""");
        using CancellationTokenSource stop = new();
        CredentialFinder finder = Finder();
        Task<RegistryCredential?> finding = Task.Run(() => finder.Find(new RegistryAddress(new Uri("https://registry.example"), IsNamed: true), stop.Token));
        await Until.HoldsAsync(() => File.Exists(Path.Combine(_home.Path, "docker-credential-hanging.pipe")));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    public void Dispose() => _home.Dispose();

    private RegistryCredential? Find(string registry) => Finder().Find(new RegistryAddress(new Uri(registry), IsNamed: true), CancellationToken.None);

    private CredentialFinder Finder(RegistryCredential? given = null) => new(given, name => _variables.GetValueOrDefault(name), _home.Path, _told.Add);

    private void Write(string config, string path = ".docker/config.json")
    {
        string full = Path.Combine(_home.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, config.Replace("BOTH", Both, StringComparison.Ordinal).Replace("SECRET", Secret, StringComparison.Ordinal));
    }

    /// <summary>It is found by the path of programs, which is that of this process.</summary>
    private void Helper(string name, string script)
    {
        MakeProgram(Path.Combine(_home.Path, $"docker-credential-{name}"), script.Replace("SECRET", Secret, StringComparison.Ordinal));
        Environment.SetEnvironmentVariable("PATH", $"{_home.Path}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}");
    }

    private static void MakeProgram(string path, string script)
    {
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
