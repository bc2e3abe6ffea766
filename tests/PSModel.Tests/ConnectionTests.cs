using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A registry behind real programs that stand between it and the module.</summary>
public abstract class ConnectionTests : IAsyncLifetime, IDisposable
{
    protected const string User = "me";
    protected const string Secret = "s3cret-word";

    /// <summary>Of that user and that password, as <c>htpasswd -B</c> makes it.</summary>
    protected const string Hash = "$2b$05$abcdefghijklmnopqrstuuEpHRRKIlpAGo.iP7Bpa.htQEJMAAnRe";

    /// <summary>In a script; the password does not stand in it in one piece.</summary>
    protected const string ProxyUser = "-ProxyCredential ([pscredential]::new('me', (ConvertTo-SecureString ('s3cret' + '-word') -AsPlainText -Force)))";

    private const string Quick = "-MaximumRetryCount 1 -RetryIntervalSec 0";

    protected TemporaryFolder Folder { get; } = new();

    protected LoopbackRegistry Registry { get; } = LoopbackRegistry.Start();

    protected LoopbackModel Model { get; } = LoopbackModel.Generate("library/demo", "latest", 3_000_000);

    protected string Store => Path.Combine(Folder.Path, "store");

    public Task InitializeAsync()
    {
        Registry.Offer(Model);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await Registry.DisposeAsync();

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Saves the model from an address, in a process of its own, into a store that is empty.</summary>
    /// <returns>All that the process wrote; a secret is in none of it.</returns>
    protected async Task<string> SaveAsync(string address, string arguments, params (string Name, string Value)[] environment)
    {
        if (Directory.Exists(Store))
        {
            Directory.Delete(Store, recursive: true);
        }

        // Each error is shown with what to do about it, as PowerShell 7.5 and later would.
        string all = await RunAsync(
            $"Save-ModelBlob {address}/library/demo '{Store}' -VerifyInline {Quick} {arguments} -ErrorVariable failed | ForEach-Object {{ \"blob $($_.Status)\" }}; $failed | ForEach-Object {{ \"advice: $($_.ErrorDetails.RecommendedAction)\" }}",
            environment);
        Assert.DoesNotContain(Secret, all, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{Secret}")), all, StringComparison.Ordinal);
        return all;
    }

    protected async Task AssertSavedAsync(string address, string arguments, params (string Name, string Value)[] environment)
    {
        string all = await SaveAsync(address, arguments, environment);
        Assert.True(all.Split("blob Downloaded").Length == Model.Blobs.Count + 1, all);
    }

    private async Task<string> RunAsync(string script, (string Name, string Value)[] environment)
    {
        using ChildProcess process = ChildProcess.StartScript(
            $"$VerbosePreference = $DebugPreference = 'Continue'; & {{ {script} }} *>&1 | Out-String -Width 1000 -Stream",
            [("DOCKER_CONFIG", Folder.Path), ("REGISTRY_AUTH_FILE", string.Empty), ("HF_TOKEN", string.Empty), .. environment]);
        await process.WaitAsync();
        return process.Output + process.Error;
    }
}
