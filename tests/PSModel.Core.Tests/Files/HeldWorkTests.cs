using PSModel.Core.Faults;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Files;

/// <summary>Files of unfinished work that another program holds, as virus scanners and indexers do.</summary>
public sealed class HeldWorkTests : EngineTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan LongerThanReadsAreTried = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly BlobContent _content = BlobContent.Generate(5 * MB, 1);

    [Theory]
    [InlineData("checkpoint")]
    [InlineData("partial")]
    [InlineData("blocks-partial")]
    public async Task What_is_held_for_a_moment_is_gone_on_with(string kind)
    {
        await StopAtAsync(_content, 2 * MB);
        long kept = KeptOf(_content);
        FileStream holder = new(Assert.Single(Directory.GetFiles(Folder.Work, $"*.{kind}")), FileMode.Open, FileAccess.Read, FileShare.None);
        using Timer letGo = new(_ => holder.Dispose(), null, Moment, Timeout.InfiniteTimeSpan);
        await Watcher.SaveAsync(this, _content);
        Assert.Equal(kept, Watcher.Saved!.Meter.BytesResumed);
    }

    /// <summary>Windows reads no file whose holder does not allow it. What the checkpoint covers is not lost for that, whenever the holder
    /// lets go: here after it was given up to read it, and before it would be given up to remove it.</summary>
    [Fact]
    public async Task A_checkpoint_that_is_held_for_long_loses_nothing()
    {
        await StopAtAsync(_content, 2 * MB);
        long kept = KeptOf(_content);
        string checkpoint = Assert.Single(Directory.GetFiles(Folder.Work, "*.checkpoint"));
        FileStream holder = new(checkpoint, FileMode.Open, FileAccess.Read, FileShare.None);
        using Timer letGo = new(_ => holder.Dispose(), null, LongerThanReadsAreTried, Timeout.InfiniteTimeSpan);
        try
        {
            SavedBlob saved = await SaveAsync(_content).WaitAsync(Patience);
            Assert.Equal(kept, saved.Meter.BytesResumed);
        }
        catch (ModelFaultException fault)
        {
            Assert.Equal((ModelFault.BlobInUse, checkpoint), (fault.Fault, fault.Facts.Path));
            await holder.DisposeAsync();
            Assert.Equal(kept, (await SaveAsync(_content)).Meter.BytesResumed);
        }
    }

    /// <summary>Windows does not rename a file whose reader does not allow that.</summary>
    [Fact]
    public async Task A_file_that_is_whole_is_renamed_when_its_reader_lets_go()
    {
        Timer? letGo = null;
        FileStream? reader = null;
        ReadPartial(opened => reader = opened, whole: () => letGo ??= new Timer(_ => reader!.Dispose(), null, Moment, Timeout.InfiniteTimeSpan));
        await SaveAsync(_content).WaitAsync(Patience);
        Assert.NotNull(reader);
        await reader.DisposeAsync();
        letGo?.Dispose();
    }

    [Fact]
    public async Task The_file_of_a_reader_that_does_not_let_go_is_named_and_is_whole_for_the_next_call()
    {
        FileStream? reader = null;
        ReadPartial(opened => reader = opened, whole: () => { });
        if (OperatingSystem.IsWindows())
        {
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
            Assert.Equal((ModelFault.BlobInUse, reader!.Name), (fault.Fault, fault.Facts.Path));
            await reader.DisposeAsync();
            Watcher.OnLook = null;
            Assert.Equal(_content.Length, (await SaveAsync(_content)).Meter.BytesResumed);
        }
        else
        {
            await SaveAsync(_content);
            await reader!.DisposeAsync();
        }
    }

    [Fact]
    public async Task Files_that_are_opened_again_and_again_end_nothing()
    {
        Options.Connections = 2;
        Options.CheckpointInterval = 100_000;
        Fault((_, answer) => answer.BytesPerSecond = 2 * MB);
        using Scanner scanner = new(Folder.Work);
        await SaveAsync(_content).WaitAsync(Patience);
        scanner.Stop();
        Assert.Contains(scanner.Opened, path => path.EndsWith(".checkpoint", StringComparison.Ordinal));
        Assert.Contains(scanner.Opened, path => path.EndsWith(".partial", StringComparison.Ordinal));
    }

    /// <summary>More arrives than may be lost in a crash, so that the transfer waits for checkpoints.</summary>
    [Fact]
    public async Task A_checkpoint_that_can_never_be_written_ends_nothing()
    {
        Options.CheckpointInterval = Options.LargestLoss = 2 * MB;
        Directory.CreateDirectory(Folder.Work);
        string next = Path.Combine(Folder.Work, $"{_content.Digest.Replace(':', '-')}.checkpoint.new");
        using (FileStream holder = new(next, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            SavedBlob saved = await SaveAsync(_content).WaitAsync(Patience);
            Assert.Equal(BlobOutcome.Downloaded, saved.Outcome);
        }

        Assert.Contains(Watcher.Told, message => message.StartsWith("The checkpoint of ", StringComparison.Ordinal));
        await SaveAsync(_content);
        Assert.DoesNotContain(Path.GetFileName(next), WorkLeft);
    }

    /// <summary>Windows removes no file whose reader does not allow that.</summary>
    [Fact]
    public async Task A_checkpoint_that_cannot_be_removed_ends_nothing_and_is_removed_by_a_later_save()
    {
        await StopAtAsync(_content, 2 * MB);
        string checkpoint = Assert.Single(Directory.GetFiles(Folder.Work, "*.checkpoint"));
        using (FileStream reader = new(checkpoint, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            SavedBlob saved = await SaveAsync(_content).WaitAsync(Patience);
            Assert.True(saved.Meter.BytesResumed > 0);
            Assert.Equal(OperatingSystem.IsWindows(), File.Exists(checkpoint));
        }

        await SaveAsync(_content);
        Assert.False(File.Exists(checkpoint));
    }

    /// <summary>Opens the partial file underway, so that it cannot be renamed, and tells when all of it has arrived.</summary>
    private void ReadPartial(Action<FileStream> opened, Action whole)
    {
        FileStream? reader = null;
        Fault((_, answer) => answer.BytesPerSecond = 10 * MB);
        Watcher.OnLook = meter =>
        {
            if (reader is null && meter.BytesTransferred > 1 * MB)
            {
                reader = new FileStream(Assert.Single(Directory.GetFiles(Folder.Work, "*.partial")), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                opened(reader);
            }

            if (meter.BytesTransferred == _content.Length)
            {
                whole();
            }
        };
    }
}
