using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A model that the store has whole: nothing is left to do, and nothing is done.</summary>
public sealed class CompleteModelTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 3_000_000);
    private readonly string _name;

    public CompleteModelTests()
    {
        _name = _registry.Offer(_model);
        using EngineSession engine = new();
        Assert.Empty(Run(engine, "-VerifyInline").Errors);
    }

    private string Manifest => Directory.GetFiles(Path.Combine(_store.Path, "manifests"), "*", SearchOption.AllDirectories).Single();

    [Fact]
    public void Nothing_is_asked_for()
    {
        AnsweringHost host = new("No to All");
        using EngineSession engine = new(host);
        EngineResult result = Run(engine, "-Confirm");
        Assert.Empty(result.Errors);
        Assert.Empty(host.Questions);
        Assert.All(result.Values("Status"), status => Assert.Equal("AlreadyPresent", status));
    }

    [Fact]
    public void The_manifest_is_not_written_again()
    {
        DateTime before = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(Manifest, before);
        using EngineSession engine = new();
        Assert.Empty(Run(engine, "-VerifyInline").Errors);
        Assert.Equal(before, File.GetLastWriteTimeUtc(Manifest));
    }

    [Fact]
    public void A_manifest_that_differs_in_a_byte_is()
    {
        File.AppendAllText(Manifest, " ");
        using EngineSession engine = new();
        Assert.Empty(Run(engine, "-VerifyInline").Errors);
        Assert.Equal(_model.Manifest, File.ReadAllBytes(Manifest));
    }

    [NeedsFact("unshare", "mount", Root = true)]
    public async Task A_store_that_cannot_be_written_gives_no_error()
    {
        string script = $"Save-ModelBlob {_name} '{_store.Path}' -VerifyInline -ErrorVariable e | ForEach-Object Status; $e | ForEach-Object {{ $_.FullyQualifiedErrorId }}";
        using ChildProcess save = ChildProcess.Start(
            "unshare",
            ["-m", "sh", "-c", "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec dotnet \"$@\"", _store.Path, .. Pwsh.WithModule(script)]);
        await save.WaitAsync();
        Assert.Equal(Enumerable.Repeat("AlreadyPresent", _model.Blobs.Count), save.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [NeedsFact("unshare", "mount", Root = true)]
    public async Task A_store_that_cannot_be_written_at_all_is_one_error_and_not_one_a_blob()
    {
        Directory.Delete(_store.Blobs, recursive: true);
        string script = $"Save-ModelBlob {_name} '{_store.Path}' -VerifyInline -ErrorVariable e -ErrorAction SilentlyContinue; $e | ForEach-Object {{ $_.FullyQualifiedErrorId }}";
        using ChildProcess save = ChildProcess.Start(
            "unshare",
            ["-m", "sh", "-c", "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec dotnet \"$@\"", _store.Path, .. Pwsh.WithModule(script)]);
        await save.WaitAsync();
        Assert.Equal(["StoreNotWritable,PSModel.Commands.SaveModelBlobCommand"], save.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    private EngineResult Run(EngineSession engine, string how) => engine.Run($"param($name, $store) Save-ModelBlob $name $store {how}", _name, _store.Path);
}
