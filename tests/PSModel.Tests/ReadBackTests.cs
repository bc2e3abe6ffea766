using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>On a machine that reads wrong, the difference between the wire and the disk is what PSModel is for.</summary>
public sealed class ReadBackTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 20_000_000);

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Reading_back_fails_and_says_that_the_storage_is_at_fault()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path);
        string name = _registry.Offer(_model);
        string script = $"Save-ModelBlob {name} '{_store.Path}' -ErrorVariable e; $e[0].FullyQualifiedErrorId; $e[0].CategoryInfo.Category; $e[0].Exception.ActualDigest";

        HashSet<string> wrongDigests = [];
        for (int run = 0; run < 2; run++)
        {
            using ChildProcess process = ChildProcess.StartScript(script, shim);
            Assert.Equal(1, await process.WaitAsync());
            string output = process.Output + process.Error;
            Assert.Contains("ReadBackMismatch,PSModel", output, StringComparison.Ordinal);
            Assert.Contains("InvalidData", output, StringComparison.Ordinal);
            Assert.Contains("arrived right", output, StringComparison.Ordinal);
            Assert.Contains("-VerifyInline", output, StringComparison.Ordinal);
            Assert.Contains("Test-ModelBlob -Diagnose", output, StringComparison.Ordinal);
            wrongDigests.Add(process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
        }

        // As in the report: another wrong digest each time.
        Assert.Equal(2, wrongDigests.Count);
        Assert.False(File.Exists(_store.Blob(_model.Blobs[0].Digest)));
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "manifests")));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Verifying_inline_succeeds_and_the_file_is_right()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path);
        string name = _registry.Offer(_model);

        using ChildProcess process = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -VerifyInline", shim);

        Assert.Equal(0, await process.WaitAsync());
        byte[] bytes = await File.ReadAllBytesAsync(_store.Blob(_model.Blobs[0].Digest));
        Assert.Equal(_model.Blobs[0].Digest, $"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}");
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Testing_a_right_file_there_finds_a_mismatch()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path);
        string name = _registry.Offer(_model);
        using ChildProcess saving = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -VerifyInline");
        Assert.Equal(0, await saving.WaitAsync());

        using ChildProcess testing = ChildProcess.StartScript($"(Test-ModelBlob {name} '{_store.Path}').Status", shim);
        Assert.Equal(0, await testing.WaitAsync());
        Assert.Equal("DigestMismatch", testing.Output.Split('\n')[0].Trim());
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _folder.Dispose();
        _store.Dispose();
    }
}
