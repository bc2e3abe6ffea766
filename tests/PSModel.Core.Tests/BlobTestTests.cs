using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Verification;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

public sealed class BlobTestTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _bytes = new byte[3_000_000];

    public BlobTestTests() => new Random(1).NextBytes(_bytes);

    [Fact]
    public async Task A_file_is_valid_until_a_bit_of_it_changes()
    {
        BlobDigest digest = BlobDigest.Of(_bytes);
        Assert.Equal(BlobStatus.Valid, await TestAsync(digest));

        _bytes[2_500_000] ^= 1;
        Assert.Equal(BlobStatus.DigestMismatch, await TestAsync(digest));
    }

    [Fact]
    public async Task A_file_of_another_size_is_not_read()
    {
        BlobTest test = Test(Write(), BlobDigest.Of(_bytes), _bytes.Length + 1);
        await test.RunAsync(CancellationToken.None);
        Assert.Equal(BlobStatus.SizeMismatch, test.Status);
        Assert.Equal(0, test.BytesRead);
    }

    [Fact]
    public async Task What_is_not_there_is_missing_and_a_folder_is_unreadable()
    {
        BlobTest missing = Test(Path.Combine(_folder.Path, "none"), BlobDigest.Of(_bytes), null);
        BlobTest folder = Test(_folder.Path, BlobDigest.Of(_bytes), null);
        List<BlobTest> done = [];
        await BlobCheckBatch.RunAsync([missing, folder], 2, done.Add, CancellationToken.None);
        Assert.Equal([BlobStatus.Missing, BlobStatus.Unreadable], done.Select(test => test.Status));
    }

    public void Dispose() => _folder.Dispose();

    private static BlobTest Test(string path, BlobDigest digest, long? size) => new(new BlobTarget(path, digest, size, null, null), ReadMode.Buffered);

    private async Task<BlobStatus> TestAsync(BlobDigest digest)
    {
        BlobTest test = Test(Write(), digest, _bytes.Length);
        await test.RunAsync(CancellationToken.None);
        Assert.Equal(_bytes.Length, test.BytesRead);
        return test.Status;
    }

    private string Write()
    {
        string path = Path.Combine(_folder.Path, "blob");
        File.WriteAllBytes(path, _bytes);
        return path;
    }
}
