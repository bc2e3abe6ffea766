using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The surface of Publish-ModelBlob, in real PowerShell.</summary>
public sealed class PublishModelBlobTests : IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _folder = new();
    private readonly PushRegistry _registry = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _store;
    private readonly string _name;

    public PublishModelBlobTests()
    {
        _store = Path.Combine(_folder.Path, "store");
        _name = Put(_model, _registry.Address.Authority);
    }

    /// <summary>Puts a model into the store, as one of a host's.</summary>
    private string Put(LoopbackModel model, string host)
    {
        OllamaStore store = new(_store);
        store.PutBlobs(model);
        store.PutManifest(model.Manifest, [host, .. model.Name.Split('/'), model.Tag]);
        return $"http://{host}/{model.Name}:{model.Tag}";
    }

    private EngineResult Run(string script) => _engine.Run($"$PSDefaultParameterValues['Publish-ModelBlob:StorePath'] = '{_store}'; {script}");

    [Fact]
    public void Each_blob_is_an_object_as_it_is_done_and_the_second_call_sends_nothing()
    {
        EngineResult result = Run($"Publish-ModelBlob {_name} -Verbose");
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal), result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
        Assert.All(result.Output, blob =>
        {
            Assert.Equal("PSModel.ModelBlobDigest", blob.TypeNames[0]);
            Assert.Equal(("Published", true, "ReadBack"), (blob.Properties["Status"].Value, blob.Properties["Verified"].Value, blob.Properties["Verification"].Value));
            Assert.Equal(blob.Properties["Size"].Value, blob.Properties["BytesSent"].Value);
            Assert.Equal(blob.Properties["Digest"].Value, blob.Properties["ActualDigest"].Value);
            Assert.Equal(0L, blob.Properties["BytesReceived"].Value);
        });
        Assert.Equal(_model.Manifest, _registry.Manifests["/v2/library/demo/manifests/latest"]);

        EngineResult again = Run($"Publish-ModelBlob {_name}");
        Assert.All(again.Output, blob => Assert.Equal(("AlreadyPresent", false, "SizeOnly", 0L), (blob.Properties["Status"].Value, blob.Properties["Verified"].Value, blob.Properties["Verification"].Value, blob.Properties["BytesSent"].Value)));
        Assert.Equal(5, again.Output.Count);
    }

    [Fact]
    public async Task WhatIf_tells_what_is_lacking_and_sends_nothing()
    {
        Run($"Publish-ModelBlob {_name} -Digest {_model.Blobs[1].Digest}");
        int before = _registry.Requests.Count;
        using ChildProcess process = ChildProcess.StartScript($"Publish-ModelBlob {_name} -StorePath '{_store}' -WhatIf");
        await process.WaitAsync();
        string[] lines = [.. process.Output.Split('\n').Where(line => line.StartsWith("What if:", StringComparison.Ordinal))];
        Assert.Equal(6, lines.Length);
        Assert.Contains("Publish Model blob, 4.77 MB", lines[0], StringComparison.Ordinal);
        Assert.Contains("Publish manifest", lines[4], StringComparison.Ordinal);
        Assert.Contains("In all, 4 blobs of 4.77 MB would be sent, and 1 blob of 13 B is there.", lines[5], StringComparison.Ordinal);
        Assert.All(_registry.Requests.Skip(before), request => Assert.True(request.Method is "HEAD" or "GET"));
    }

    [Theory]
    [InlineData("-Registry", "/v2/library/demo/manifests/latest")]
    [InlineData("-Destination", "/v2/a/b/c/manifests/v2")]
    [InlineData("scheme", "/v2/a/b/manifests/latest")]
    public void The_place_may_be_another_than_the_names(string how, string path)
    {
        Put(_model, "registry.ollama.ai");
        string address = _registry.Address.GetLeftPart(UriPartial.Authority);
        string arguments = how switch
        {
            "-Registry" => $"-Registry {address}",
            "-Destination" => $"-Destination {address}/a/b/c:v2",
            _ => $"-Destination '{address}/a/b'",
        };
        EngineResult result = Run($"Publish-ModelBlob demo {arguments}");
        Assert.Empty(result.Errors);
        Assert.Equal([path], _registry.Manifests.Keys);
    }

    [Theory]
    [InlineData("./layout")]
    [InlineData("layout")]
    [InlineData("sub/layout")]
    [InlineData("Temp:\\{0}")]
    [InlineData("{1}")]
    public void A_folder_is_one_whichever_way_it_is_written(string destination)
    {
        string unique = $"psmodel-{Guid.NewGuid():N}";
        string text = destination.Replace("{0}", unique, StringComparison.Ordinal).Replace("{1}", Path.Combine(_folder.Path, "rooted"), StringComparison.Ordinal);
        EngineResult result = Run($"$null = $ExecutionContext.SessionState.Path.SetLocation('{_folder.Path}'); Publish-ModelBlob {_name} -Destination '{text}'");
        Assert.Empty(result.Errors);
        string path = destination.StartsWith("Temp", StringComparison.Ordinal) ? Path.Combine(Path.GetTempPath(), unique) : Path.Combine(_folder.Path, text);
        Assert.True(File.Exists(Path.Combine(path, "index.json")), path);
        Directory.Delete(path, recursive: true);
    }

    [Fact]
    public void What_is_in_a_layout_is_saved_from_there_byte_for_byte()
    {
        LoopbackModel other = LoopbackModel.Generate("me/other", "latest", 2_000_000, seed: 4);
        string[] names = [_name, Put(other, _registry.Address.Authority)];
        string layout = Path.Combine(_folder.Path, "layout");
        Assert.Empty(Run($"Publish-ModelBlob {string.Join(", ", names)} -Destination '{layout}'").Errors);
        foreach ((string name, LoopbackModel model) in names.Zip([_model, other]))
        {
            string store = Path.Combine(_folder.Path, $"from-{model.Tag}-{model.Name.Split('/')[1]}");
            EngineResult saved = _engine.Run($"Save-ModelBlob {name} '{store}' -Source '{layout}'");
            Assert.Empty(saved.Errors);
            Assert.Equal(5, saved.Output.Count);
            Assert.Equal(System.Text.Encoding.UTF8.GetString(model.Manifest), $"{_engine.Run($"Get-ModelManifest {name} -Local -StorePath '{store}' -Raw").Output.Single()}");
        }
    }

    [Theory]
    [InlineData("Publish-ModelBlob demo -Destination ghcr.io/me/x -Registry https://x.example", "cannot both be given")]
    [InlineData("Publish-ModelBlob demo, other -Destination ghcr.io/me/x", "the place of one model")]
    [InlineData("Publish-ModelBlob demo -Destination ghcr.io/me/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "pins a digest")]
    [InlineData("Publish-ModelBlob demo -Destination 'https://me:word@ghcr.io/me/x'", "user name or a password")]
    [InlineData("Publish-ModelBlob demo -Destination http://registry.example/me/x", "plain http")]
    [InlineData("Publish-ModelBlob 'a b'", "is not a model name")]
    [InlineData("Publish-ModelBlob demo -Digest xyz", "is not a digest")]
    public void What_does_not_fit_is_told_before_anything_is_sent(string command, string message)
    {
        Put(_model, "registry.ollama.ai");
        EngineResult result = Run($"try {{ {command} 2>&1 }} catch {{ \"$_\" }}");
        Assert.Contains(message, string.Concat(result.Output), StringComparison.Ordinal);
        Assert.DoesNotContain("word@", string.Concat(result.Output), StringComparison.Ordinal);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public void Each_model_that_is_piped_in_is_published_once_when_all_are_there()
    {
        string address = _registry.Address.GetLeftPart(UriPartial.Authority);
        EngineResult result = Run($"'{_name}', '{_name}', [pscustomobject]@{{ Name = '{_name}' }} | Publish-ModelBlob -IncludeProgress");
        Assert.Empty(result.Errors);
        Assert.Equal(5, result.Output.Count(item => item.TypeNames[0] == "PSModel.ModelBlobDigest"));
        Assert.Contains(result.Output, item => item.TypeNames[0] == "PSModel.ModelBlobProgress");

        EngineResult local = Run($"Get-ModelManifest -Local -StorePath '{_store}' | Publish-ModelBlob -Destination {address}/other/place | ForEach-Object Status");
        Assert.Empty(local.Errors);
        Assert.Equal(5, local.Output.Count);
    }

    [Fact]
    public void A_damaged_blob_is_told_of_with_the_commands_that_help()
    {
        string file = Path.Combine(_store, "blobs", _model.Blobs[0].Digest.Replace(':', '-'));
        byte[] bytes = File.ReadAllBytes(file);
        bytes[4_000_000] ^= 1;
        File.WriteAllBytes(file, bytes);
        EngineResult result = Run($"Publish-ModelBlob {_name}");
        ErrorRecord error = result.SingleError("DigestMismatch", ErrorCategory.InvalidData);
        Assert.Equal(_model.Blobs[0].Digest, error.TargetObject);
        Assert.Contains("Test-ModelBlob", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("-Repair", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(4, result.Output.Count);
        Assert.Empty(_registry.Manifests);

        string diagnose = error.ErrorDetails.RecommendedAction.Split('"')[1];
        Assert.Equal("DamagedOnDisk", $"{_engine.Run(diagnose).Output.Single().Properties["Verdict"].Value}");
    }

    [Fact]
    public async Task Ctrl_C_ends_it_at_once_while_the_registry_reads_nothing()
    {
        TaskCompletionSource underway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        LoopbackModel large = LoopbackModel.Generate("library/large", "latest", 60_000_000);
        string name = Put(large, _registry.Address.Authority);
        _registry.Fault = request =>
        {
            if (request.Method == "PATCH")
            {
                request.StallAfter = 1_000_000;
                underway.TrySetResult();
            }
        };
        using PowerShell shell = _engine.Shell($"Publish-ModelBlob {name} -StorePath '{_store}' -OperationTimeoutSeconds 0");
        IAsyncResult running = shell.BeginInvoke();
        await underway.Task;
        await Task.Factory.FromAsync(shell.BeginStop, shell.EndStop, null).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(running));
        Assert.Empty(_registry.Manifests);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task One_that_is_killed_and_started_again_sends_what_is_lacking()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        LoopbackModel many = LoopbackModel.GenerateMany("library/many", "latest", 40, 3_000_000);
        string name = Put(many, registry.Address.Authority);
        string script = $"Publish-ModelBlob {name} -StorePath '{_store}' -ThrottleLimit 2 | ForEach-Object {{ \"$($_.Status) $($_.Digest)\" }}";
        int sent;
        using (ChildProcess first = ChildProcess.StartScript(script))
        {
            await first.WaitForAsync("Published");
            await first.KillAsync();
            sent = first.Output.Split("Published").Length - 1;
        }

        using ChildProcess second = ChildProcess.StartScript(script);
        Assert.Equal(0, await second.WaitAsync());
        Assert.Equal(41, second.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.True(second.Output.Split("AlreadyPresent").Length - 1 >= sent);
        using ChildProcess saved = ChildProcess.StartScript($"Save-ModelBlob {name} '{_folder.Path}/other' -VerifyInline | ForEach-Object Status");
        Assert.Equal(0, await saved.WaitAsync());
        Assert.Equal(41, saved.Output.Split("Downloaded").Length - 1);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _registry.Dispose();
        _folder.Dispose();
    }
}
