using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

public sealed class BlobLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BlobDigest _digest = BlobDigest.Parse($"sha256:{new string('a', 64)}");
    private readonly ModelStore _store;

    public BlobLockTests() => _store = new ModelStore(_folder.Path);

    [Fact]
    public void One_holds_it_at_a_time()
    {
        using (BlobLock? held = BlobLock.TryAcquire(_store, _digest))
        {
            Assert.NotNull(held);
            Assert.Null(BlobLock.TryAcquire(_store, _digest));
            using BlobLock? other = BlobLock.TryAcquire(_store, BlobDigest.Parse($"sha256:{new string('b', 64)}"));
            Assert.NotNull(other);
        }

        using BlobLock? next = BlobLock.TryAcquire(_store, _digest);
        Assert.NotNull(next);
    }

    [Fact]
    public void It_leaves_no_file_of_the_blob_behind()
    {
        BlobLock.TryAcquire(_store, _digest)!.Dispose();
        Assert.Equal(["lock"], Directory.GetFiles(_store.Work).Select(Path.GetFileName));
    }

    [Fact]
    public void A_file_that_a_crash_left_is_no_lock()
    {
        Directory.CreateDirectory(_store.Work);
        File.WriteAllText(Path.Combine(_store.Work, $"{_digest.FileName}.lock"), string.Empty);
        using BlobLock? held = BlobLock.TryAcquire(_store, _digest);
        Assert.NotNull(held);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Those_of_a_moment_and_those_that_last_keep_each_other_out(bool isFirstBrief, bool isSecondBrief)
    {
        ModelStore other = new(_folder.Path);
        using (BlobLock? held = BlobLock.TryAcquire(_store, _digest, isFirstBrief))
        {
            Assert.NotNull(held);
            Assert.Null(BlobLock.TryAcquire(other, _digest, isSecondBrief));
            Assert.Null(BlobLock.TryAcquire(_store, _digest, isSecondBrief));
        }

        using BlobLock? next = BlobLock.TryAcquire(other, _digest, isSecondBrief);
        Assert.NotNull(next);
    }

    [Fact]
    public void A_file_that_an_earlier_version_holds_keeps_those_of_a_moment_out()
    {
        string path = Path.Combine(_store.Work, $"{_digest.FileName}.lock");
        Directory.CreateDirectory(_store.Work);
        using (LockFile? earlier = LockFile.TryTake(_store, path, isRemoved: true))
        {
            Assert.NotNull(earlier);
            Assert.Null(BlobLock.TryAcquire(_store, _digest, isBrief: true));
        }

        using BlobLock? next = BlobLock.TryAcquire(_store, _digest, isBrief: true);
        Assert.NotNull(next);
    }

    [Fact]
    public void Where_no_bytes_can_be_locked_that_of_a_moment_leaves_its_file_to_be_swept_up()
    {
        _store.HasRangeLocks = false;
        string path = Path.Combine(_store.Work, $"{_digest.FileName}.lock");
        using (BlobLock? held = BlobLock.TryAcquire(_store, _digest, isBrief: true))
        {
            Assert.NotNull(held);
            Assert.Null(BlobLock.TryAcquire(_store, _digest, isBrief: true));
            BlobLock.Sweep(_store);
            Assert.True(File.Exists(path));
        }

        Assert.True(File.Exists(path));
        BlobLock.Sweep(_store);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Among_many_that_come_and_go_never_two_hold_it()
    {
        int holders = 0;
        int most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int taken = 0; taken < 300;)
            {
                using BlobLock? held = BlobLock.TryAcquire(_store, _digest, isBrief: taken % 2 == 0);
                if (held is not null)
                {
                    int now = Interlocked.Increment(ref holders);
                    InterlockedMax(ref most, now);
                    Interlocked.Decrement(ref holders);
                    taken++;
                }
            }
        })));
        Assert.Equal(1, most);
    }

    public void Dispose() => _folder.Dispose();

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
            // Somebody else raised it meanwhile.
        }
    }
}
