using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Publishing;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>A file is read again from where it is wanted, and its digest is that of the bytes that were given last.</summary>
public sealed class HashedFileTests : PublishTests
{
    private readonly LoopbackModel _model = LoopbackModel.OfBlobs("library/demo", "latest", [BlobContent.Generate((9 * Unit) + 5, 1)]);
    private readonly byte[] _bytes;

    public HashedFileTests()
    {
        Put(_model, new Uri("http://registry.example"));
        _bytes = File.ReadAllBytes(BlobFile(_model.Blobs[0]));
    }

    private HashedFile Open()
    {
        ModelStore store = new(StorePath);
        Manifest manifest = store.Manifests.Read(ModelName.Parse("registry.example/library/demo"));
        return HashedFile.Open(new StoredBlob(store, manifest, manifest.Layers[0]));
    }

    private void Change(int offset)
    {
        using FileStream file = new(BlobFile(_model.Blobs[0]), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Seek(offset, SeekOrigin.Begin);
        file.WriteByte((byte)~_bytes[offset]);
        _bytes[offset] = (byte)~_bytes[offset];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5 * Unit)]
    [InlineData((5 * Unit) + 17)]
    [InlineData((9 * Unit) + 5)]
    public void It_goes_on_anywhere_and_the_digest_is_right(int offset)
    {
        using HashedFile file = Open();
        file.MoveTo((7 * Unit) + 3, CancellationToken.None);
        file.MoveTo(offset, CancellationToken.None);
        Assert.Equal(offset, file.Position);
        ArraySegment<byte> next = file.Peek(CancellationToken.None);
        Assert.True(next.AsSpan().SequenceEqual(_bytes.AsSpan(offset, next.Count)));
        Assert.Equal(_model.Blobs[0].Digest, file.Digest(CancellationToken.None).ToString());
        Assert.Equal(_model.Blobs[0].Digest, OllamaStore.DigestOf(file.ReadAll(CancellationToken.None)));
    }

    [Fact]
    public void What_lies_before_is_not_read_again()
    {
        using HashedFile file = Open();
        file.MoveTo(8 * Unit, CancellationToken.None);
        Change(100);
        file.MoveTo((6 * Unit) + 1, CancellationToken.None);
        Assert.Equal(_model.Blobs[0].Digest, file.Digest(CancellationToken.None).ToString());
    }

    [Fact]
    public void What_is_read_again_is_hashed_again()
    {
        using HashedFile file = Open();
        Assert.Equal(_model.Blobs[0].Digest, file.Digest(CancellationToken.None).ToString());
        Change((7 * Unit) + 100);
        file.MoveTo(6 * Unit, CancellationToken.None);
        Assert.Equal(OllamaStore.DigestOf(_bytes), file.Digest(CancellationToken.None).ToString());
    }

    [Fact]
    public void What_is_forgotten_is_read_from_the_beginning()
    {
        using HashedFile file = Open();
        file.MoveTo(8 * Unit, CancellationToken.None);
        file.Forget(8 * Unit);
        file.MoveTo((2 * Unit) + 1, CancellationToken.None);
        Assert.Equal((2 * Unit) + 1, file.Position);
        Assert.Equal(_model.Blobs[0].Digest, file.Digest(CancellationToken.None).ToString());
    }
}
