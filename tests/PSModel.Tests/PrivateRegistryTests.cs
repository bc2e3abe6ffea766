using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Real registries that do not let everybody in.</summary>
public sealed class PrivateRegistryTests : IDisposable
{
    private const string User = "me";
    private const string Secret = "s3cret-word";

    /// <summary>Of that user and that password, as <c>htpasswd -B</c> makes it.</summary>
    private const string Hash = "$2b$05$abcdefghijklmnopqrstuuEpHRRKIlpAGo.iP7Bpa.htQEJMAAnRe";


    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);

    private string Store => Path.Combine(_folder.Path, "store");

    /// <summary>In a process of its own, where ConvertTo-SecureString is, and without the tester's own credentials.</summary>
    private async Task<string> RunAsync(string script, params (string Name, string Value)[] environment)
    {
        using ChildProcess process = ChildProcess.StartScript(
            $"$VerbosePreference = $DebugPreference = 'Continue'; {script} *>&1 | Out-String -Width 500 -Stream",
            [("DOCKER_CONFIG", _folder.Path), ("REGISTRY_AUTH_FILE", string.Empty), ("HF_TOKEN", string.Empty), .. environment]);
        await process.WaitAsync();
        string all = process.Output + process.Error;
        Assert.DoesNotContain(Secret, all, StringComparison.Ordinal);
        Assert.DoesNotContain("Bearer ", all, StringComparison.Ordinal);
        return all;
    }

    private string Save(string name, string more = "") => $"& {{ Save-ModelBlob {name} '{Store}' -VerifyInline {more} | ForEach-Object {{ \"blob $($_.Status)\" }} }}";

    private static string With(string user, string secretOfPieces) =>
        $"-Credential ([pscredential]::new('{user}', (ConvertTo-SecureString ({secretOfPieces}) -AsPlainText -Force)))";

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_registry_that_asks_for_a_user_gets_one_by_parameter_or_by_what_a_login_left()
    {
        using DockerRegistry open = await DockerRegistry.StartAsync();
        await open.PushAsync(_model);
        File.WriteAllText(Path.Combine(_folder.Path, "htpasswd"), $"{User}:{Hash}\n");
        using DockerRegistry guarded = await open.StartGuardedAsync($"auth: {{ htpasswd: {{ realm: tests, path: {Path.Combine(_folder.Path, "htpasswd")} }} }}");
        string name = $"{guarded.Address.GetLeftPart(UriPartial.Authority)}/{_model.Name}:{_model.Tag}";

        Assert.Contains("wants credentials", await RunAsync(Save(name)), StringComparison.Ordinal);
        Assert.Contains("does not let whom it was shown read this", await RunAsync(Save(name, With(User, "'wrong'"))), StringComparison.Ordinal);
        Assert.Equal(5, Count(await RunAsync(Save(name, With(User, "'s3cret' + '-word'"))), "blob Downloaded"));

        Directory.Delete(Store, recursive: true);
        string both = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{Secret}"));
        File.WriteAllText(Path.Combine(_folder.Path, "config.json"), $"{{\"auths\":{{\"{guarded.Address.Authority}\":{{\"auth\":\"{both}\"}}}}}}");
        string all = await RunAsync(Save(name));
        Assert.DoesNotContain(both, all, StringComparison.Ordinal);
        Assert.Equal(5, Count(all, "blob Downloaded"));
    }

    [NeedsTheory(DockerRegistry.Program)]
    [InlineData(null, "")]
    [InlineData(User, "-Credential")]
    [InlineData(User, "identity")]
    public async Task A_registry_with_a_token_service_checks_the_tokens_itself(string? user, string how)
    {
        using TokenEndpoint tokens = new(user, user is null ? null : Secret);
        using DockerRegistry open = await DockerRegistry.StartAsync();
        await open.PushAsync(_model);
        using DockerRegistry guarded = await open.StartGuardedAsync(tokens.Configuration);
        string name = $"{guarded.Address.GetLeftPart(UriPartial.Authority)}/{_model.Name}:{_model.Tag}";
        if (how == "identity")
        {
            File.WriteAllText(Path.Combine(_folder.Path, "config.json"), $"{{\"auths\":{{\"{guarded.Address.Authority}\":{{\"identitytoken\":\"{Secret}\"}}}}}}");
        }

        string all = await RunAsync(Save(name, how == "-Credential" ? With(User, "'s3cret' + '-word'") : string.Empty));
        Assert.Equal(5, Count(all, "blob Downloaded"));
        Assert.Equal(1, tokens.Given);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task The_tags_of_a_model_are_listed_and_can_be_saved()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = string.Empty;
        foreach (string tag in new[] { "8b", "latest", "Q4_K_M" })
        {
            name = await registry.PushAsync(LoopbackModel.Generate("library/demo", tag, 1000));
        }

        using EngineSession engine = new();
        EngineResult listed = engine.Run("Get-ModelManifest $args[0] -ListTag", name);
        Assert.Equal(["8b", "Q4_K_M", "latest"], listed.Values("Tag").Cast<string>().Order(StringComparer.Ordinal));
        EngineResult saved = engine.Run("Get-ModelManifest $args[0] -ListTag | Where-Object Tag -match b | Save-ModelBlob -StorePath $args[1] -VerifyInline", name, Store);
        Assert.Empty(saved.Errors);
        EngineResult local = engine.Run("Get-ModelManifest $args[0] -ListTag -Local -StorePath $args[1]", name, Store);
        Assert.Equal("8b", Assert.Single(local.Values("Tag")));
        Assert.Equal("8b", Assert.Single(engine.Run("Get-ModelManifest -ListTag -StorePath $args[0]", Store).Values("Tag")));
        engine.Run("Get-ModelManifest none -ListTag -Local -StorePath $args[0]", Store).SingleError("ManifestNotFound", System.Management.Automation.ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public async Task Tags_come_in_pages_and_a_registry_without_lists_says_so()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string prefix = registry.Address.GetLeftPart(UriPartial.Authority);
        registry.Fault = (request, answer) =>
        {
            (string tags, string? next) = request.Path switch
            {
                "/v2/library/demo/tags/list" => ("[\"a\",\"b\"]", "</v2/library/demo/tags/list?last=b&n=2>; rel=\"next\""),
                "/v2/library/demo/tags/list?last=b&n=2" => ("[\"c\",\"not a tag\",\"\"]", "</v2/library/demo/tags/list?last=c>; rel=next"),
                "/v2/library/demo/tags/list?last=c" => ("null", "<http://other.example/v2/>; rel=\"next\""),
                _ => (string.Empty, null),
            };
            if (next is not null)
            {
                answer.Become(200, $"{{\"name\":\"library/demo\",\"tags\":{tags}}}", "application/json");
                answer.Headers["Link"] = next;
            }
        };
        using EngineSession engine = new();
        Assert.Equal(["a", "b", "c"], engine.Run("Get-ModelManifest $args[0] -ListTag", $"{prefix}/library/demo").Values("Tag"));
        Assert.Equal($"{prefix}/library/demo:a", engine.Run("(Get-ModelManifest $args[0] -ListTag)[0].Name", $"{prefix}/library/demo").Output.Single().ToString());
        System.Management.Automation.ErrorRecord error = engine.Run("Get-ModelManifest $args[0] -ListTag", $"{prefix}/library/none").SingleError("ManifestNotFound", System.Management.Automation.ErrorCategory.ObjectNotFound);
        Assert.Contains("lists no tags", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_within_the_machine_goes_by_no_proxy()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        await using LoopbackRegistry proxy = LoopbackRegistry.Start();
        string address = proxy.Address.GetLeftPart(UriPartial.Authority);
        string all = await RunAsync(
            $"$token = [securestring]::new(); ('s3cret' + '-word').ToCharArray() | ForEach-Object {{ $token.AppendChar($_) }}; {Save(registry.Offer(_model), "-Token $token")}",
            ("http_proxy", address), ("HTTP_PROXY", address), ("ALL_PROXY", address));
        Assert.Equal(5, Count(all, "blob Downloaded"));
        Assert.Empty(proxy.Requests);
    }

    [Fact]
    public async Task An_empty_credential_is_none()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        using EngineSession engine = new();
        Assert.Empty(engine.Run("Save-ModelBlob $args[0] $args[1] -VerifyInline -Credential ([pscredential]::Empty)", registry.Offer(_model), Store).Errors);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_token_service_that_wants_a_user_is_named_where_none_is()
    {
        using TokenEndpoint tokens = new(User, Secret);
        using DockerRegistry open = await DockerRegistry.StartAsync();
        await open.PushAsync(_model);
        using DockerRegistry guarded = await open.StartGuardedAsync(tokens.Configuration);
        string all = await RunAsync(Save($"{guarded.Address.GetLeftPart(UriPartial.Authority)}/{_model.Name}:{_model.Tag}"));
        Assert.Contains("gives no token without credentials (401)", all, StringComparison.Ordinal);
        Assert.Contains("-Credential", all, StringComparison.Ordinal);
        Assert.Equal(0, tokens.Given);
    }

    [Fact]
    public async Task A_token_is_shown_as_it_is_and_not_together_with_a_user()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string name = registry.Offer(_model);
        using EngineSession engine = new();
        const string MakeToken = "$token = [securestring]::new(); $args[2].ToCharArray() | ForEach-Object { $token.AppendChar($_) }; ";
        EngineResult saved = engine.Run($"{MakeToken} Save-ModelBlob $args[0] $args[1] -VerifyInline -Token $token", name, Store, Secret);
        Assert.Empty(saved.Errors);
        Assert.All(registry.Requests, request => Assert.Equal($"Bearer {Secret}", request.Headers["authorization"]));
        foreach (string command in new[] { "Save-ModelBlob demo $args[0] -Token $token", "Get-ModelManifest demo -Token $token" })
        {
            EngineResult broken = engine.Run($"{MakeToken.Replace("$args[2]", "$args[1]", StringComparison.Ordinal)} {command}", Store, $"{Secret}\n{Secret}");
            broken.SingleError("AuthenticationFailed", System.Management.Automation.ErrorCategory.AuthenticationError);
            Assert.DoesNotContain(Secret, broken.Errors[0].ToString(), StringComparison.Ordinal);
        }

        EngineResult both = engine.Run($"{MakeToken} Save-ModelBlob $args[0] $args[1] -Token $token -Credential ([pscredential]::new('me', $token))", name, Store, Secret);
        Assert.StartsWith("AmbiguousArgument", Assert.Single(both.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
