using System.Diagnostics;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>
/// A session in which another module's Polly and System.Text.Json are loaded, each time in a process of its own, since no
/// assembly is ever unloaded.
/// </summary>
/// <remarks>
/// Polly goes into the default context, as modules that do not isolate theirs load it. System.Text.Json cannot go there: it is
/// part of .NET, and the runtime gives its own wherever the default context is asked for another. So the other version lies in
/// a context of its own, as a module that isolates it loads it, and the core uses that of .NET.
/// </remarks>
public sealed class IsolationTests : IAsyncLifetime, IDisposable
{
    private const string LoadOthers = """
        $polly = [System.Reflection.Assembly]::LoadFrom("$others/Polly.Core.dll")
        $null = [System.Reflection.Assembly]::LoadFrom("$others/System.Text.Json.dll")
        $context = [System.Runtime.Loader.AssemblyLoadContext]::new('other module')
        $json = $context.LoadFromAssemblyPath("$others/System.Text.Json.dll")
        """;

    private const string Save = """
        $ErrorActionPreference = 'Stop'
        Import-Module $module
        $saved = @(Save-ModelBlob $name $store -VerifyInline -RetryIntervalSec 0)
        $retries = 0; foreach ($blob in $saved) { $retries += $blob.RetryCount }
        "saved $($saved.Count) $($saved[0].Status) $retries"
        """;

    /// <summary>A pipeline of the other Polly, which tries three times, and a text of the other System.Text.Json. No type is
    /// named as a literal, for that would find one of several.</summary>
    private const string UseOthers = """
        $builder = [Activator]::CreateInstance($polly.GetType('Polly.ResiliencePipelineBuilder'))
        $options = [Activator]::CreateInstance($polly.GetType('Polly.Retry.RetryStrategyOptions'))
        $options.Delay = [timespan]::Zero
        $add = $polly.GetType('Polly.RetryResiliencePipelineBuilderExtensions').GetMethod('AddRetry', [type[]] ($builder.GetType(), $options.GetType()))
        $pipeline = $add.Invoke($null, @($builder, $options)).Build()
        $script:tries = 0
        $pipeline.Execute([Action] { if (++$script:tries -lt 3) { throw 'once more' } })
        "polly $script:tries"

        $type = $json.GetType('System.Text.Json.JsonSerializer')
        $serialize = $type.GetMethod('Serialize', [type[]] ([object], [type], $json.GetType('System.Text.Json.JsonSerializerOptions')))
        "json $($serialize.Invoke($null, @([int[]] (1, 2, 3), [int[]], $null)))"
        """;

    private const string ShowAssemblies = """
        foreach ($one in [System.Runtime.Loader.AssemblyLoadContext]::All) {
            foreach ($assembly in $one.Assemblies) {
                if (-not $assembly.IsDynamic) { "assembly|$($one.Name)|$($assembly.GetName().Name)|$($assembly.Location)" }
            }
        }
        """;

    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();

    private static string Others => Path.Combine(AppContext.BaseDirectory, "Others");

    private static string CoreFolder => Path.Combine(Path.GetDirectoryName(Checkout.StagedModule)!, "bin", "net8.0");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_versions_of_the_dependencies_and_the_module_both_work(bool areOthersFirst)
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 2_000_000);
        int refusals = 2;
        _registry.Fault = (request, answer) =>
        {
            // So that the module's Polly has something to do.
            if (request.IsBlob && Interlocked.Decrement(ref refusals) >= 0)
            {
                answer.Become(503, "later");
            }
        };
        string[] steps = areOthersFirst ? [LoadOthers, UseOthers, Save, UseOthers] : [Save, LoadOthers, UseOthers, Save.Replace("$store", "\"$store/second\"", StringComparison.Ordinal)];
        string script = $"""
            $others = '{Others}'; $module = '{Checkout.StagedModule}'; $name = '{_registry.Offer(model)}'; $store = '{_store.Path}'
            {string.Join('\n', steps)}
            {ShowAssemblies}
            """;
        using ChildProcess process = ChildProcess.Start("dotnet", Pwsh.Bare(script));
        Assert.True(await process.WaitAsync() == 0, process.Error);

        string[] lines = process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Contains($"saved {model.Blobs.Count} Downloaded 2", lines);
        Assert.Equal(steps.Count(step => step == UseOthers), lines.Count(line => line == "polly 3"));
        Assert.Equal(steps.Count(step => step == UseOthers), lines.Count(line => line == "json [1,2,3]"));

        ILookup<(string Context, string Name), string> loaded = lines
            .Where(line => line.StartsWith("assembly|", StringComparison.Ordinal))
            .Select(line => line.Split('|'))
            .ToLookup(parts => (parts[1], parts[2]), parts => Path.GetFullPath(parts[3]));
        foreach (string name in new[] { "PSModel.Core", "Polly.Core", "System.IO.Hashing" })
        {
            Assert.Equal(Path.Combine(CoreFolder, $"{name}.dll"), Assert.Single(loaded[("PSModel", name)]));
        }

        // It is large, and for registries that want a signature alone.
        Assert.DoesNotContain(loaded, assembly => assembly.Key.Name == "BouncyCastle.Cryptography");
        Assert.Empty(loaded[("Default", "PSModel.Core")]);
        Assert.Equal(Path.Combine(Others, "Polly.Core.dll"), Assert.Single(loaded[("Default", "Polly.Core")]));
        Assert.Equal(Path.Combine(Others, "System.Text.Json.dll"), Assert.Single(loaded[("other module", "System.Text.Json")]));
        Assert.Equal(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Text.Json.dll"), Assert.Single(loaded[("Default", "System.Text.Json")]));
        Assert.Empty(loaded[("PSModel", "System.Text.Json")]);
    }

    [Theory]
    [InlineData("Polly.Core")]
    [InlineData("System.Text.Json")]
    public void The_other_versions_are_others(string name)
    {
        string own = name == "Polly.Core" ? Path.Combine(CoreFolder, $"{name}.dll") : typeof(System.Text.Json.JsonSerializer).Assembly.Location;
        Assert.NotEqual(VersionOf(own), VersionOf(Path.Combine(Others, $"{name}.dll")));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    private static string? VersionOf(string path) => FileVersionInfo.GetVersionInfo(path).ProductVersion;
}
