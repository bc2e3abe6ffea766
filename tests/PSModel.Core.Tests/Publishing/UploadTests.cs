using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>A model of one blob in several chunks, and a registry that misbehaves on command.</summary>
public abstract class UploadTests : PublishTests
{
    private protected PushRegistry Server { get; } = new();

    private protected LoopbackModel Model { get; } = LoopbackModel.OfBlobs("library/demo", "latest", [BlobContent.Generate(7 * Unit, 1)]);

    private protected string ModelName { get; }

    private protected int ChunkCount { get; set; }

    protected UploadTests()
    {
        RegistryOptions.MaximumRetryCount = 3;
        ModelName = Put(Model, Server.Address);
    }

    private protected BlobContent Weights => Model.Blobs[0];

    private protected List<PushRequest> Chunks => [.. Server.Requests.Where(request => request.Method == "PATCH")];

    private protected long BytesOfChunks => Chunks.Sum(request => request.Body.LongLength);

    /// <summary>Does something to one of the chunks, counted from 1.</summary>
    private protected void FaultAt(int chunk, Action<PushRequest> fault) => Server.Fault = request =>
    {
        if (request.Method == "PATCH" && ++ChunkCount == chunk)
        {
            fault(request);
        }
    };

    /// <summary>Opens a blob's file as a program does that does not mind others.</summary>
    private protected FileStream OpenToChange(BlobContent blob) => new(BlobFile(blob), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    private protected async Task PublishWholeAsync()
    {
        await PublishAsync(ModelName);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(Server.Blobs[Weights.Digest]));
        Assert.Equal(Model.Manifest, Server.Manifests["/v2/library/demo/manifests/latest"]);
        Assert.True(Server.OpenUploads == 0, $"Of these one stayed open: {string.Join(", ", Server.Requests.Select(request => $"{request.Method} {request.Path}"))}");
    }

    protected override void Dispose(bool isDisposing)
    {
        Server.Dispose();
        base.Dispose(isDisposing);
    }
}
