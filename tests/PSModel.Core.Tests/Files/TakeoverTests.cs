using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Files;

/// <summary>What other machines left on a share.</summary>
public sealed class TakeoverTests : EngineTests
{
    private readonly BlobContent _content = BlobContent.Generate(30 * MB, 1);

    private string Other => Path.Combine(Folder.Work, "0123456789abcdef0123456789abcdef");

    [Fact]
    public async Task What_another_machine_fetched_is_copied_and_not_touched()
    {
        await LeaveAsync();
        Dictionary<string, byte[]> before = Read();
        SavedBlob saved = await SaveAsync(_content);

        Assert.InRange(saved.Meter.BytesResumed, 10 * MB, 29 * MB);
        Assert.Equal(30 * MB, saved.Meter.BytesResumed + saved.Meter.BytesReceived);
        Assert.Equal(before, Read());
        BlockMap map = new BlockMapFile(new ModelStore(Folder.Path), saved.Layer.Digest).TryRead()!;
        byte[] bytes = await File.ReadAllBytesAsync(saved.Path);
        Assert.Equal(30 * MB, map.Layout.Blocks.Sum(block => block.Length));
        Assert.Equal(map.Layout.Blocks.Select(block => BlockChecksum.Of(bytes.AsSpan((int)block.Start, block.Length))), map.Checksums);
    }

    [Fact]
    public async Task What_is_damaged_there_is_fetched_anew()
    {
        await LeaveAsync();
        string partial = Assert.Single(Directory.GetFiles(Other, "*.partial"));
        using (FileStream file = File.OpenWrite(partial))
        {
            file.Seek(MB, SeekOrigin.Begin);
            file.Write(new byte[64]);
        }

        SavedBlob saved = await SaveAsync(_content);
        Assert.Equal(0, saved.Meter.BytesResumed);
        Assert.Contains(Watcher.Told, message => message.Contains("not what was fetched", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_arrived_wrong_there_is_not_taken_over_twice()
    {
        await StopAtAsync(_content, 12 * MB);
        ModelStore store = new(Folder.Path);
        BlobDigest digest = BlobDigest.Parse(_content.Digest);
        string partial = Assert.Single(Directory.GetFiles(Folder.Work, "*.partial"));
        CheckpointFile checkpoints = new(store, digest);
        Checkpoint kept = checkpoints.TryRead(_content.Length, new FileInfo(partial).Length, out _)!;
        byte[] bytes = [.. File.ReadAllBytes(partial).Take((int)kept.Offset)];
        bytes[MB] ^= 1;
        File.WriteAllBytes(partial, bytes);
        Sha256 sha = new();
        sha.Append(bytes);
        checkpoints.Write(kept with { State = new BlobHashState(sha.Export(), Blocks: null) });
        MoveToOther();

        ModelFaultException e = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal(ModelFault.DigestMismatch, e.Fault);
        Assert.Equal(0, (await SaveAsync(_content)).Meter.BytesResumed);
    }

    [Fact]
    public async Task A_stop_while_it_is_copied_leaves_it_for_the_next_call()
    {
        await LeaveAsync();
        using CancellationTokenSource stop = new();
        Watcher.OnTold = message =>
        {
            if (message.Contains("Another machine left", StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveAsync(_content, stop.Token));
        Assert.Empty(Directory.GetFiles(Folder.Work, "*partial"));
        Watcher.OnTold = null;
        Assert.InRange((await SaveAsync(_content)).Meter.BytesResumed, 10 * MB, 29 * MB);
    }

    [Fact]
    public async Task A_link_in_its_place_is_not_followed()
    {
        await LeaveAsync();
        string elsewhere = Path.Combine(Folder.Path, "elsewhere");
        Directory.Move(Other, elsewhere);
        Directory.CreateSymbolicLink(Other, elsewhere);
        Assert.Equal(0, (await SaveAsync(_content)).Meter.BytesResumed);
    }

    [Theory]
    [InlineData(0.5, true)]
    [InlineData(2, false)]
    public async Task What_was_left_of_a_blob_that_is_there_goes_after_an_hour(double hours, bool isKept)
    {
        await LeaveAsync();
        await SaveAsync(_content);
        Age(hours / 24);
        await SaveAsync(_content);
        Assert.Equal(isKept, Directory.GetFiles(Other, "*.partial").Length > 0);
    }

    [Theory]
    [InlineData(29, true)]
    [InlineData(31, false)]
    public async Task The_folder_of_a_machine_that_is_gone_goes_after_thirty_days(double days, bool isKept)
    {
        await LeaveAsync();
        File.WriteAllText(Path.Combine(Other, "lock"), string.Empty);
        Age(days);
        await SaveAsync(BlobContent.Generate(MB, 2));
        Assert.Equal(isKept, Directory.Exists(Other));
    }

    /// <summary>A machine fetches a part, and is gone.</summary>
    private async Task LeaveAsync()
    {
        await StopAtAsync(_content, 12 * MB);
        MoveToOther();
    }

    private void MoveToOther()
    {
        Directory.CreateDirectory(Other);
        foreach (string file in Directory.GetFiles(Folder.Work, "sha256-*"))
        {
            File.Move(file, Path.Combine(Other, Path.GetFileName(file)));
        }
    }

    private Dictionary<string, byte[]> Read() => Directory.GetFiles(Other).ToDictionary(file => file, File.ReadAllBytes);

    private void Age(double days)
    {
        DateTime time = DateTime.UtcNow.AddDays(-days);
        foreach (string file in Directory.GetFiles(Other))
        {
            File.SetLastWriteTimeUtc(file, time);
        }

        Directory.SetLastWriteTimeUtc(Other, time);
    }
}
