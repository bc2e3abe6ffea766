using PSModel.Core.Commit;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>Many blobs committed together.</summary>
public sealed class CommitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ModelStore _store;

    public CommitTests() => _store = new ModelStore(_folder.Path);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_blobs_than_threads_are_committed_however_fast_they_come(bool isReadBack)
    {
        using CommitQueue queue = new(new BlobCommit(_store, isReadBack ? new ReadBack(_ => { }) : null, _ => { }), CancellationToken.None);
        Task[] commits = [.. Enumerable.Range(0, 700).Select(i => Task.Run(() => CommitAsync(queue, i)))];
        await Task.WhenAll(commits).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(700, Directory.GetFiles(_folder.Blobs).Length);
        Assert.Empty(Directory.GetFiles(_folder.Work));
    }

    [Fact]
    public async Task A_blob_that_fails_fails_alone()
    {
        FinishedBlob[] blobs = [.. Enumerable.Range(0, 20).Select(i => Write(i, isRight: i != 7))];
        ((PartialBlob)blobs[11].File).Append([1], 0, 1);
        Exception?[] failures = await new BlobCommit(_store, readBack: null, _ => { }).RunAsync(blobs, CancellationToken.None);
        Assert.Equal(ModelFault.DigestMismatch, Assert.IsType<ModelFaultException>(failures[7]).Fault);
        Assert.Equal(ModelFault.StoreWriteFailed, Assert.IsType<ModelFaultException>(failures[11]).Fault);
        Assert.Equal(18, failures.Count(failure => failure is null));
        Assert.Equal(18, Directory.GetFiles(_folder.Blobs).Length);
    }

    [Fact]
    public void The_first_blobs_of_a_store_may_be_given_their_names_at_the_same_moment()
    {
        // Once: the folder was not there for the one, and was made by the other before the one looked why it had failed.
        for (int round = 0; round < 200; round++)
        {
            ModelStore store = new(Path.Combine(_folder.Path, $"store-{round}"));
            PartialBlob[] files = [.. Enumerable.Range(0, 4).Select(i => new PartialBlob(store, BlobDigest.Of([(byte)i]), kept: 0))];
            using Barrier start = new(files.Length);
            Thread[] threads = [.. files.Select(file => new Thread(() => Rename(file)))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Assert.Equal(files.Length, Directory.GetFiles(store.Blobs).Length);

            void Rename(PartialBlob file)
            {
                start.SignalAndWait();
                try
                {
                    file.Rename();
                }
                catch (Exception)
                {
                    // It is missing then, and a thread that fails would end the test program.
                }
            }
        }
    }

    [Fact]
    public async Task What_nobody_foresaw_fails_the_batch_and_not_the_queue()
    {
        using CommitQueue queue = new(new BlobCommit(null!, readBack: null, _ => { }), CancellationToken.None);
        await Assert.ThrowsAnyAsync<Exception>(() => CommitAsync(queue, 1).WaitAsync(TimeSpan.FromMinutes(1)));
        await Assert.ThrowsAnyAsync<Exception>(() => CommitAsync(queue, 2).WaitAsync(TimeSpan.FromMinutes(1)));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>What follows a commit runs on the queue's thread, which the end of a test must not.</summary>
    private async Task CommitAsync(CommitQueue queue, int number)
    {
        try
        {
            await queue.CommitAsync(Write(number, isRight: true));
        }
        finally
        {
            await Task.Yield();
        }
    }

    private FinishedBlob Write(int number, bool isRight)
    {
        byte[] bytes = [.. Enumerable.Range(0, 4000).Select(i => (byte)(i * number))];
        BlobDigest actual = BlobDigest.Of([.. bytes, (byte)number, (byte)(number >> 8)]);
        byte[] whole = [.. bytes, (byte)number, (byte)(number >> 8)];
        BlobDigest expected = isRight ? actual : BlobDigest.Of([(byte)number]);
        PartialBlob file = new(_store, expected, 0);
        file.Append(whole, 0, whole.Length);
        Layer layer = new(expected, whole.Length, "application/vnd.ollama.image.tensor");
        return new FinishedBlob(layer, ModelName.Parse("demo"), file, actual, new TransferMeter(whole.Length), () => { });
    }
}
