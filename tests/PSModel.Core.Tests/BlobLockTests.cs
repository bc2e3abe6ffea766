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

    [Fact]
    public async Task Among_many_that_come_and_go_never_two_hold_it()
    {
        int holders = 0;
        int most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int taken = 0; taken < 300;)
            {
                using BlobLock? held = BlobLock.TryAcquire(_store, _digest);
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
