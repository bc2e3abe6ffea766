using System.Collections;
using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What every PowerShell user tries with a cmdlet. What needs other modules' cmdlets is in the Pester files.</summary>
public sealed class PipelineTests : IAsyncLifetime, IDisposable
{
    private const int LinesOfABlob = 12;

    /// <summary>Objects of every kind, and diagnoses of right blobs and of a damaged one.</summary>
    private const string OneOfEach = """
        Get-ModelManifest $name
        Save-ModelBlob $name $store -VerifyInline -IncludeProgress
        Test-ModelBlob $name $store
        Test-ModelBlob $name $store -Diagnose
        $path = (Get-ModelManifest $name).Layers[0].Digest.Replace(':', '-')
        $file = [System.IO.File]::OpenWrite("$store/blobs/$path")
        $file.Position = 4000000
        $file.Write([byte[]] (1, 2, 3, 4), 0, 4)
        $file.Dispose()
        Test-ModelBlob $name $store -Diagnose
        """;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _name;

    public PipelineTests() => _name = _registry.Offer(_model);

    [Fact]
    public void A_model_goes_from_its_manifest_through_all_three_cmdlets()
    {
        EngineResult result = Run("Get-ModelManifest $name | Save-ModelBlob -StorePath $store -VerifyInline | Test-ModelBlob");
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal), result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
        Assert.All(result.Values("Status"), status => Assert.Equal("Valid", status));
    }

    [Theory]
    [InlineData("Get-ModelManifest $name -OutVariable kept", 1)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -OutVariable kept", 5)]
    [InlineData("$null = Save-ModelBlob $name $store; Test-ModelBlob $name $store -OutVariable kept", 5)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -OutVariable kept | Test-ModelBlob -OutVariable +kept", 10)]
    public void OutVariable_keeps_what_goes_down_the_pipeline(string script, int count)
    {
        EngineResult result = Run($"{script}; $kept");
        Assert.Empty(result.Errors);
        object[] kept = [.. result.Output.Skip(result.Output.Count - count).Select(item => item.BaseObject)];
        object[] passed = [.. result.Output.SkipLast(count).Select(item => item.BaseObject)];
        Assert.Equal(count, kept.Distinct().Count());
        Assert.Subset(kept.ToHashSet(), passed.ToHashSet());
    }

    [Theory]
    [InlineData(new[] { "Yes" }, 6, 5)]
    [InlineData(new[] { "Yes to All" }, 1, 5)]
    [InlineData(new[] { "No" }, 5, 0)]
    [InlineData(new[] { "No to All" }, 1, 0)]
    [InlineData(new[] { "No", "Yes" }, 5, 4)]
    public void Confirm_asks_for_each_blob_and_the_manifest(string[] answers, int questions, int blobs)
    {
        AnsweringHost host = new(answers);
        using EngineSession engine = new(host);

        EngineResult result = engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -Confirm", _name, _store.Path);

        Assert.Empty(result.Errors);
        Assert.Equal(blobs, result.Output.Count);
        Assert.Equal(questions, host.Questions.Count);
        Assert.Contains(_model.Blobs[0].Digest, host.Questions[0], StringComparison.Ordinal);
        Assert.Equal(blobs == 5, Directory.Exists(Path.Combine(_store.Path, "manifests")));
        Assert.Equal(blobs > 0, Directory.Exists(_store.Blobs));
        Assert.Equal(
            result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal),
            _registry.Requests.Where(request => request.IsBlob).Select(request => request.Leaf).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Verbose_tells_a_resumed_and_often_cut_blob_in_a_dozen_lines()
    {
        // Another call is stopped in mid-blob first, and every connection of this one is cut.
        string weights = _model.Blobs[0].Digest;
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && request.Leaf == weights)
            {
                answer.StallAfter = 1_500_000;
                stalled.TrySetResult();
            }
        };
        using (PowerShell first = _engine.Shell("param($name, $store) Save-ModelBlob $name $store -VerifyInline"))
        {
            IAsyncResult running = first.AddArgument(_name).AddArgument(_store.Path).BeginInvoke();
            await stalled.Task.WaitAsync(TimeSpan.FromSeconds(30));
            string partial = Path.Combine(_store.Work, $"{weights.Replace(':', '-')}.partial");
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
            while (!File.Exists(partial) || new FileInfo(partial).Length == 0)
            {
                patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            await Task.Factory.FromAsync(first.BeginStop, first.EndStop, null);
            Assert.Throws<PipelineStoppedException>(() => first.EndInvoke(running));
        }

        _registry.Fault = (request, answer) => answer.CutAfter = request.IsBlob && request.Leaf == weights ? Math.Min(answer.Length, 200_000) : null;
        EngineResult result = Run("Save-ModelBlob $name $store -RetryIntervalSec 0 -Verbose");

        Assert.Empty(result.Errors);
        Assert.True((int)result.Of(weights).Properties["RetryCount"].Value > LinesOfABlob);
        Assert.All(_model.Blobs, blob => Assert.InRange(result.Verbose.Count(line => line.Contains(blob.Digest, StringComparison.Ordinal)), 3, LinesOfABlob));
        Assert.InRange(result.Verbose.Count, 1, LinesOfABlob * _model.Blobs.Count);
        Assert.Contains(result.Verbose, line => line.StartsWith($"Going on with {weights} after ", StringComparison.Ordinal));
        Assert.Contains(result.Verbose, line => line.StartsWith($"{weights}: Downloaded, ", StringComparison.Ordinal) && line.Contains($"{result.Of(weights).Properties["RetryCount"].Value} retries", StringComparison.Ordinal));
        Assert.Contains(result.Verbose, line => line.EndsWith("its manifest is written.", StringComparison.Ordinal));
    }

    [Fact]
    public void Verbose_tells_what_was_read_and_found()
    {
        Assert.Contains(Run("Get-ModelManifest $name -Verbose").Verbose, line => line.Contains($"{_registry.Address}v2/library/demo/manifests/latest", StringComparison.Ordinal));
        Run("Save-ModelBlob $name $store -VerifyInline");

        EngineResult test = Run("Test-ModelBlob $name $store -Verbose");
        EngineResult diagnosis = Run("Test-ModelBlob $name $store -Diagnose -Quiet -Verbose");

        // Where the system's cache cannot be left aside, another line says so.
        Assert.Equal(_model.Blobs.Select(blob => _store.Blob(blob.Digest)), test.Verbose.Where(line => line.Contains(": Valid", StringComparison.Ordinal)).Select(line => line.Split(": Valid")[0]));
        Assert.Equal(_model.Blobs.Select(blob => _store.Blob(blob.Digest)), diagnosis.Verbose.Select(line => line.Split(": Healthy")[0]));
    }

    [Fact]
    public void Debug_shows_each_request_and_its_answer()
    {
        int redirects = 1;
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && Interlocked.Decrement(ref redirects) >= 0)
            {
                answer.RedirectTo($"{_registry.Address}v2/library/demo/blobs/{request.Leaf}?signature=secret");
            }
        };
        EngineResult result = Run("Save-ModelBlob $name $store -VerifyInline -Debug -ThrottleLimit 1");

        Assert.Empty(result.Errors);
        Assert.Equal(
            _registry.Requests.Select(request => request.Path.Split('?')[0]),
            result.Debug.Where(line => line.StartsWith("GET ", StringComparison.Ordinal)).Select(line => new Uri(line.Split(' ')[1]).AbsolutePath));
        Assert.Contains(result.Debug, line => line.Contains("→ 307", StringComparison.Ordinal));
        Assert.DoesNotContain(result.Debug, line => line.Contains("secret", StringComparison.Ordinal));
        Assert.Empty(Run("Save-ModelBlob $name $store -VerifyInline -Force").Debug);
    }

    [Fact]
    public void Debug_shows_requests_without_an_answer_as_well()
    {
        EngineResult result = _engine.Run(
            "param($name) Get-ModelManifest $name -MaximumRetryCount 2 -RetryIntervalSec 0 -Debug", $"{FreePort.FindAddress()}library/demo");
        result.SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Equal(3, result.Debug.Count(line => line.StartsWith("GET ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Save-ModelBlob $name $store -VerifyInline", true)]
    [InlineData("$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob $name $store -VerifyInline", false)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -ProgressAction SilentlyContinue", false)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -ProgressAction Ignore", false)]
    [InlineData("$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob $name $store -VerifyInline -ProgressAction Continue", true)]
    public void Progress_is_shown_where_it_is_wanted(string script, bool isShown)
    {
        EngineResult result = Run(script);
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Count, result.Output.Count);
        Assert.Equal(isShown, result.Progress.Count > 0);
    }

    [Fact]
    public async Task Every_object_survives_remoting_with_every_property()
    {
        // One level is what remoting gives where the type does not ask for more.
        const string Send = "[System.Management.Automation.PSSerializer]::Serialize($_, 1), [System.Management.Automation.PSSerializer]::Serialize($_, 9)";
        string script = $"$name = '{_name}'; $store = '{_store.Path}'; $ProgressPreference = 'SilentlyContinue'; & {{ {OneOfEach} }} | ForEach-Object {{ {Send} }} | ForEach-Object {{ [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($_)) }}";
        using ChildProcess process = ChildProcess.StartScript(script);
        Assert.True(await process.WaitAsync() == 0, process.Error);
        PSObject[] items =
        [
            .. process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => (PSObject)PSSerializer.Deserialize(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(line)))),
        ];
        Assert.True(items.Length > 20);
        foreach (PSObject[] pair in items.Chunk(2))
        {
            Assert.StartsWith("Deserialized.PSModel.", pair[0].TypeNames[0], StringComparison.Ordinal);
            AssertSame(pair[1], pair[0]);
        }
    }

    [Fact]
    public void What_came_by_remoting_can_be_tested()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        EngineResult result = Run(
            "foreach ($blob in Test-ModelBlob $name $store) { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($blob, 1)) | Test-ModelBlob }");
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), result.Values("Digest"));
    }

    [Fact]
    public void Every_object_is_made_of_plain_values()
    {
        foreach (PSObject item in EveryKindOfOutput())
        {
            AssertPlain(item);
        }
    }

    [Fact]
    public void Where_a_list_is_written_as_text_the_text_says_what_is_in_it()
    {
        foreach (PSObject item in EveryKindOfOutput())
        {
            foreach (PSObject part in item.Properties.SelectMany(property => PartsOf(property.Value)))
            {
                Assert.NotEqual(part.BaseObject.GetType().FullName, part.ToString());
            }
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private static void AssertSame(PSObject sent, PSObject received)
    {
        Assert.Equal(sent.Properties.Select(property => property.Name), received.Properties.Select(property => property.Name));
        foreach (PSPropertyInfo property in sent.Properties)
        {
            object? value = received.Properties[property.Name].Value;
            PSObject[] parts = [.. Items(property.Value)];
            PSObject[] others = [.. Items(value)];
            Assert.Equal(parts.Length, others.Length);
            if (parts.Length == 0)
            {
                Assert.Equal(property.Value is PSObject { BaseObject: ICollection { Count: 0 } } ? null : property.Value, value is PSObject { BaseObject: ICollection { Count: 0 } } ? null : value);
            }

            for (int i = 0; i < parts.Length; i++)
            {
                AssertSame(parts[i], others[i]);
            }
        }
    }

    /// <summary>What a property of an object that came back holds: objects, or none.</summary>
    private static IEnumerable<PSObject> Items(object? value) => value switch
    {
        PSObject { BaseObject: ICollection list } => list.Cast<object>().Select(PSObject.AsPSObject),
        PSObject { BaseObject: PSCustomObject } item => [item],
        _ => [],
    };

    private static void AssertPlain(PSObject item)
    {
        Assert.NotEmpty(item.Properties);
        foreach (PSPropertyInfo property in item.Properties)
        {
            PSObject[] parts = [.. PartsOf(property.Value)];
            Assert.All(parts, AssertPlain);
            bool isPlain = parts.Length > 0 || property.Value is null or string or bool or int or long or double or DateTime or TimeSpan or Array { Length: 0 };
            Assert.True(isPlain, $"{item.TypeNames[0]}.{property.Name} is a {property.TypeNameOfValue}");
        }
    }

    /// <summary>The module's own objects that a property holds: one, several in an array, or none.</summary>
    private static IEnumerable<PSObject> PartsOf(object? value) => value switch
    {
        Array array => array.Cast<object>().Select(PSObject.AsPSObject),
        not null when value.GetType().Namespace == "PSModel" => [PSObject.AsPSObject(value)],
        _ => [],
    };

    /// <summary>A manifest, digests, progress, and diagnoses of a right blob and of a damaged one.</summary>
    private List<PSObject> EveryKindOfOutput()
    {
        EngineResult result = Run(OneOfEach);
        Assert.Empty(result.Errors);
        Assert.Equal(
            ["PSModel.ModelBlobDiagnosis", "PSModel.ModelBlobDigest", "PSModel.ModelBlobProgress", "PSModel.ModelManifest"],
            result.Output.Select(item => item.TypeNames[0]).Distinct().Order());
        Assert.Contains(result.Output, item => item.Properties["DamagedRanges"]?.Value is Array { Length: > 0 });
        return [.. result.Output];
    }

    private EngineResult Run(string script) => _engine.Run($"param($name, $store) {script}", _name, _store.Path);
}
