using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What was found wrong in the store is repaired by piping it on, from where its model came: plain http, or a mirror.</summary>
public sealed class PipedRepairTests : IAsyncLifetime, IDisposable
{
    private const int MiB = 1024 * 1024;
    private const string Reread = "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5 * MiB);

    /// <summary>How the model may have come to the store, and how its damage may be found.</summary>
    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> cases = [];
        foreach (string save in new[] { "Save-ModelBlob $name $store -VerifyInline", "Save-ModelBlob demo $store -VerifyInline -Registry $registry" })
        {
            cases.Add(save, "Get-ModelManifest -Local -StorePath $store | Test-ModelBlob -StorePath $store | Where-Object Status -ne Valid");
            cases.Add(save, "Test-ModelBlob (Get-ModelManifest -Local -StorePath $store).Name $store | Where-Object Status -ne Valid");
            cases.Add(save, "Test-ModelBlob -Path \"$store/blobs/*\" | Where-Object Status -ne Valid");
            cases.Add(save, "Test-ModelBlob -Path \"$store/blobs/*\" -Diagnose | Where-Object Verdict -ne Healthy");
            cases.Add(save, $"Get-ModelManifest -Local -StorePath $store | Test-ModelBlob -StorePath $store | {Reread} | Where-Object Status -ne Valid");
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_is_fetched_from_where_it_came(string save, string find)
    {
        Assert.Empty(Run(save).Errors);
        string weights = _store.Blob(_model.Blobs[0].Digest);
        byte[] right = File.ReadAllBytes(weights);
        byte[] wrong = [.. right];
        wrong[2 * MiB] ^= 1;
        File.WriteAllBytes(weights, wrong);

        EngineResult result = Run($"{find} | Save-ModelBlob -StorePath $store -Repair -VerifyInline -MaximumRetryCount 0 -ConnectionTimeoutSeconds 5");

        Assert.Empty(result.Errors);
        Assert.Equal("Repaired", Assert.Single(result.Output).Properties["Status"].Value);
        Assert.Equal(right, File.ReadAllBytes(weights));
    }

    [Fact]
    public void A_blob_that_is_right_is_looked_for_in_no_model()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        EngineResult result = Run("Test-ModelBlob -Path \"$store/blobs/*\"");
        Assert.All(result.Values("Name").Concat(result.Values("Origin")), Assert.Null);
    }

    [Fact]
    public void Registry_goes_before_Origin()
    {
        EngineResult result = Run($"[pscustomobject]@{{ Name = 'demo'; Origin = '{FreePort.FindAddress()}' }} | Save-ModelBlob -StorePath $store -Registry $registry -VerifyInline");
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Count, result.Output.Count);
    }

    [Fact]
    public void The_Origin_of_one_row_is_not_that_of_the_next()
    {
        EngineResult result = Run("""
            [pscustomobject]@{ Name = 'demo'; Origin = "$registry".TrimEnd('/') },
            [pscustomobject]@{ Name = "$name"; Origin = '' },
            [pscustomobject]@{ Name = "$name" } | Save-ModelBlob -StorePath $store -VerifyInline
            """);
        Assert.Empty(result.Errors);
        Assert.Equal(3 * _model.Blobs.Count, result.Output.Count);
    }

    [Theory]
    [InlineData("nonsense", "InvalidModelName", ErrorCategory.InvalidArgument, "Correct the Origin of what is piped in.")]
    [InlineData("https://me:secret@example.org", "InvalidModelName", ErrorCategory.InvalidArgument, "Correct the Origin of what is piped in.")]
    [InlineData("http://registry.example.org", "UnencryptedRefused", ErrorCategory.SecurityError, "-AllowUnencrypted")]
    public void An_Origin_that_cannot_be_used_is_an_error(string origin, string id, ErrorCategory category, string action)
    {
        EngineResult result = Run($"[pscustomobject]@{{ Name = 'demo'; Origin = '{origin}' }} | Save-ModelBlob -StorePath $store");
        Assert.Contains(action, result.SingleError(id, category).ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private EngineResult Run(string script) => _engine.Run($"param($name, $store, $registry) {script}", _registry.Offer(_model), _store.Path, _registry.Address);
}
