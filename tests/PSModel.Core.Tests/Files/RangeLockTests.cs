using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Files;

/// <summary>Locks without files, which Linux alone has.</summary>
public sealed class RangeLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BlobDigest _digest = BlobDigest.Parse($"sha256:{new string('a', 64)}");
    private readonly ModelStore _store;

    public RangeLockTests() => _store = new ModelStore(_folder.Path);

    [NeedsFact("sh")]
    public void That_of_a_moment_has_no_file()
    {
        using BlobLock? held = BlobLock.TryAcquire(_store, _digest, isBrief: true);
        Assert.NotNull(held);
        Assert.True(_store.HasRangeLocks);
        Assert.Equal(["lock"], Directory.GetFiles(_store.Work).Select(Path.GetFileName));
    }

    [NeedsFact("sh")]
    public void Many_taken_and_refused_leave_no_file_open()
    {
        using BlobLock? held = BlobLock.TryAcquire(_store, _digest, isBrief: true);
        int before = OpenOf(_store);
        for (int i = 0; i < 100; i++)
        {
            Assert.Null(BlobLock.TryAcquire(_store, _digest, isBrief: i % 2 == 0));
            BlobLock.TryAcquire(_store, BlobDigest.Parse($"sha256:{i:x64}"), isBrief: i % 2 == 0)!.Dispose();
        }

        Assert.Equal(before, OpenOf(_store));
    }

    public void Dispose() => _folder.Dispose();

    private static int OpenOf(ModelStore store) =>
        Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.StartsWith(store.Work, StringComparison.Ordinal) == true);
}
