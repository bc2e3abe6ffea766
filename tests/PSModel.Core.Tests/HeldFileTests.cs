using PSModel.Core.Faults;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>Files that another program holds, for moments or for good.</summary>
public sealed class HeldFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_file_that_is_let_go_is_opened()
    {
        string path = Path.Combine(_folder.Path, "held");
        FileStream holder = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        int pauses = 0;
        HeldFile.Try(path, () => new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read).Dispose(), isWindows: false, _ =>
        {
            if (++pauses == 3)
            {
                holder.Dispose();
            }
        });
        Assert.Equal(3, pauses);
    }

    [Fact]
    public void One_that_is_not_is_given_up_after_some_seconds_and_named()
    {
        string path = Path.Combine(_folder.Path, "held");
        using FileStream holder = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        int waited = 0;
        HeldFileException held = Assert.Throws<HeldFileException>(() =>
            HeldFile.Try(path, () => new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read).Dispose(), isWindows: false, pause => waited += pause));
        Assert.InRange(waited, 1000, 10_000);
        ModelStore store = new(_folder.Path);
        ModelFaultException fault = StoreFault.From(store, store.Work, held);
        Assert.Equal((ModelFault.BlobInUse, path), (fault.Fault, fault.Facts.Path));
    }

    [Fact]
    public void What_Windows_denies_is_held_where_the_file_is_there_and_can_be_written()
    {
        string path = Path.Combine(_folder.Path, "target");
        File.WriteAllText(path, "there");
        Assert.Throws<HeldFileException>(() => Deny(path, isWindows: true));
        Assert.Throws<UnauthorizedAccessException>(() => Deny(path, isWindows: false));
        Assert.Throws<UnauthorizedAccessException>(() => Deny(Path.Combine(_folder.Path, "missing"), isWindows: true));
        Assert.Throws<UnauthorizedAccessException>(() => Deny(_folder.Path, isWindows: true));
        File.SetAttributes(path, FileAttributes.ReadOnly);
        Assert.Throws<UnauthorizedAccessException>(() => Deny(path, isWindows: true));
        File.SetAttributes(path, FileAttributes.Normal);
    }

    public void Dispose() => _folder.Dispose();

    private static void Deny(string path, bool isWindows) =>
        HeldFile.Try(path, () => throw new UnauthorizedAccessException(), isWindows, _ => { });
}
