using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>What earlier calls left in the work folder, and what a call leaves.</summary>
public sealed class TidinessTests : EngineTests
{
    private static readonly string[] Suffixes = ["partial", "checkpoint", "checkpoint.new", "blocks-partial", "repair"];

    private readonly BlobContent _content = BlobContent.Generate(2 * MB, 1);
    private readonly BlobContent _other = BlobContent.Generate(3 * MB, 2);

    [Fact]
    public async Task Work_files_of_a_blob_that_is_there_are_gone_after_the_next_save_and_its_map_is_not()
    {
        SavedBlob saved = await SaveAsync(_content);
        Leave(saved.Layer.Digest, age: 0);
        string map = WorkFile(saved.Layer.Digest, "blocks");
        File.SetLastWriteTimeUtc(map, DateTime.UtcNow.AddDays(-400));

        SavedBlob other = await SaveAsync(_other);

        Assert.Equal(
            new[] { "lock", $"{saved.Layer.Digest.FileName}.blocks", $"{other.Layer.Digest.FileName}.blocks" }.Order(StringComparer.Ordinal),
            WorkLeft);
        Assert.Contains(Watcher.Told, message => message.Contains(saved.Layer.Digest.ToString(), StringComparison.Ordinal) && message.Contains("left", StringComparison.Ordinal));
    }

    [Fact]
    public async Task They_are_gone_after_a_save_that_fetches_nothing_as_well()
    {
        SavedBlob saved = await SaveAsync(_content);
        Leave(saved.Layer.Digest, age: 0);
        await SaveAsync(_content);
        Assert.Equal(["lock", $"{saved.Layer.Digest.FileName}.blocks"], WorkLeft);
    }

    [Theory]
    [InlineData(31, false)]
    [InlineData(29, true)]
    [InlineData(-400, true)]
    public async Task What_nobody_touched_for_thirty_days_is_gone(int age, bool isKept)
    {
        BlobDigest gone = BlobDigest.Of([1]);
        Leave(gone, age);
        File.WriteAllText(WorkFile(gone, "blocks"), "a map");
        Touch(WorkFile(gone, "blocks"), age);
        string manifest = Path.Combine(Folder.Work, $"manifest-{Guid.NewGuid():N}");
        File.WriteAllText(manifest, "half of one");
        Touch(manifest, age);

        await SaveAsync(_content);

        Assert.Equal(isKept ? Suffixes.Length + 1 : 0, Directory.GetFiles(Folder.Work, $"{gone.FileName}.*").Length);
        Assert.Equal(isKept, File.Exists(manifest));
        Assert.Equal(isKept, !Watcher.Told.Exists(message => message.Contains("30 days", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(31, false, false)]
    [InlineData(31, true, true)]
    [InlineData(29, false, true)]
    public async Task Where_a_model_came_from_is_forgotten_thirty_days_after_it(int age, bool isThere, bool isKept)
    {
        await SaveAsync(_content);
        string origin = Assert.Single(Directory.GetFiles(Folder.Work, "origin-*"));
        Touch(origin, age);
        File.Copy(origin, origin + ".new");
        Touch(origin + ".new", age);
        string manifest = Assert.Single(Directory.GetFiles(Path.Combine(Folder.Path, "manifests"), "*", SearchOption.AllDirectories));
        if (!isThere)
        {
            File.Delete(manifest);
        }

        // Another model, lest it be written anew.
        await Watcher.SaveAsync(this, LoopbackModel.WithWeightsAlone("library/other", "latest", _other));

        Assert.Equal(isKept, File.Exists(origin));
        Assert.Equal(age < 30, File.Exists(origin + ".new"));
    }

    [Fact]
    public async Task One_file_that_was_touched_keeps_those_of_the_same_blob()
    {
        BlobDigest underway = BlobDigest.Of([1]);
        Leave(underway, age: 31);
        Touch(WorkFile(underway, "checkpoint"), 1);
        await SaveAsync(_content);
        Assert.Equal(Suffixes.Length, Directory.GetFiles(Folder.Work, $"{underway.FileName}.*").Length);
    }

    [Fact]
    public async Task What_somebody_holds_stays()
    {
        BlobDigest underway = BlobDigest.Of([1]);
        Leave(underway, age: 31);
        using (BlobLock.TryAcquire(new ModelStore(Folder.Path), underway))
        {
            await SaveAsync(_content);
        }

        Assert.Equal(Suffixes.Length, Directory.GetFiles(Folder.Work, $"{underway.FileName}.*").Length);
    }

    [Fact]
    public async Task What_lies_there_under_other_names_is_none_of_ours()
    {
        Directory.CreateDirectory(Path.Combine(Folder.Work, "sha256-folder.partial"));
        string[] others = ["notes.txt", "sha256-short.partial", $"{BlobDigest.Of([1]).FileName}", $"x{BlobDigest.Of([1]).FileName}.partial"];
        foreach (string path in others.Select(name => Path.Combine(Folder.Work, name)))
        {
            File.WriteAllText(path, "not ours");
            Touch(path, 400);
        }

        await SaveAsync(_content);
        Assert.All(others, name => Assert.True(File.Exists(Path.Combine(Folder.Work, name)), name));
    }

#if NET
    [Fact]
    public async Task A_link_among_them_is_removed_and_what_it_leads_to_is_not()
    {
        SavedBlob saved = await SaveAsync(_content);
        string target = Path.Combine(Folder.Path, "precious");
        File.WriteAllText(target, "precious");
        File.CreateSymbolicLink(WorkFile(saved.Layer.Digest, "partial"), target);
        File.CreateSymbolicLink(WorkFile(saved.Layer.Digest, "repair"), Path.Combine(Folder.Path, "nowhere"));
        await SaveAsync(_other);
        Assert.Equal("precious", File.ReadAllText(target));
        Assert.Empty(Directory.GetFiles(Folder.Work, "*.partial"));
        Assert.Empty(Directory.GetFiles(Folder.Work, "*.repair"));
    }
#endif

    [Fact]
    public async Task A_download_in_place_of_a_blob_of_another_size_goes_on()
    {
        await StopAtAsync(_other, 2 * MB);
        long kept = KeptOf(_other);
        Directory.CreateDirectory(Folder.Blobs);
        File.WriteAllText(Folder.Blob(_other.Digest), "short");

        await SaveAsync(_content);

        Assert.Equal(kept, KeptOf(_other));
    }

    [Fact]
    public async Task A_download_of_what_is_there_goes_on_where_it_was_asked_for()
    {
        await SaveAsync(_other);
        Options.Force = true;
        await StopAtAsync(_other, 2 * MB);
        Registry.Fault = null;
        Assert.InRange((await SaveAsync(_other)).Meter.BytesResumed, 1, _other.Length);
    }

    [Fact]
    public async Task A_request_that_fails_before_the_first_byte_leaves_nothing()
    {
        Fault((_, answer) => answer.Become(404, "gone"));
        await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_other));
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_blob_that_there_is_no_room_for_leaves_nothing()
    {
        string manifest = $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{_content.Digest}}","size":{{1L << 60}}}]}""";
        LoopbackModel model = LoopbackModel.WithWeights("library/huge", "latest", _content).WithManifest(System.Text.Encoding.UTF8.GetBytes(manifest));
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, model));
        Assert.Equal(ModelFault.InsufficientDiskSpace, fault.Fault);
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
    }

#if NET
    [NeedsFact("mount", "umount", Root = true)]
    public async Task Room_is_measured_where_the_work_lies()
    {
        Directory.CreateDirectory(Folder.Blobs);
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "none", Folder.Blobs);
        try
        {
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
            Assert.Equal(ModelFault.InsufficientDiskSpace, fault.Fault);
            Assert.Empty(BlobRequests);
        }
        finally
        {
            await ChildProcess.RunAsync("umount", Folder.Blobs);
        }
    }
#endif

    private static void Touch(string path, int age) => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-age));

    private void Leave(BlobDigest digest, int age)
    {
        Directory.CreateDirectory(Folder.Work);
        foreach (string path in Suffixes.Select(suffix => WorkFile(digest, suffix)))
        {
            File.WriteAllText(path, "left");
            Touch(path, age);
        }
    }

    private string WorkFile(BlobDigest digest, string suffix) => Path.Combine(Folder.Work, $"{digest.FileName}.{suffix}");
}
