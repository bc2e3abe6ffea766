using System.Text;
using PSModel.Core.Diagnosis;
using PSModel.Core.Names;
using PSModel.Core.Verification;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Manifests that name sizes which no disk holds. Alone, since what is allocated is counted for the whole process.</summary>
[Collection(nameof(Alone))]
public sealed class HugeSizeTests
{
    private static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "latest", 2_500_000);
    private static readonly BlobDigest Digest = BlobDigest.Parse(Model.Blobs[0].Digest);
    private static readonly byte[] Content = Model.Blobs[0].Piece(0, long.MaxValue).ToArray();

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 50)]
    public async Task A_size_that_no_disk_holds_is_no_reason_to_divide_it_into_blocks(long size)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, Digest.FileName);
        await File.WriteAllBytesAsync(path, Content);
        BlobDiagnosis diagnosis = new(new BlobTarget(path, Digest, size, null, null), new MemoryControl());
        long before = GC.GetTotalAllocatedBytes();
        await diagnosis.RunAsync(CancellationToken.None);
        Assert.Equal(DiagnosisVerdict.Truncated, diagnosis.Verdict);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 200_000_000);
    }

    [Fact]
    public async Task A_repair_does_not_divide_it_into_blocks_either()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(Path.Combine(folder.Path, "store", "blobs"));
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "store", "blobs", Digest.FileName), Content);
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string manifest = $$"""{"schemaVersion":2,"layers":[{"digest":"{{Digest}}","size":{{1L << 50}}}]}""";
        registry.Offer(Model.WithManifest(Encoding.UTF8.GetBytes(manifest)));
        HostileSave save = new(folder.Path);
        long before = GC.GetTotalAllocatedBytes();
        await save.RunAsync(registry.Address, isRepair: true);
        Assert.NotEmpty(save.Faults);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 200_000_000);
    }
}
