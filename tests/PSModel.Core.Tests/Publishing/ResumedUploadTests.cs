using System.Globalization;
using PSModel.Core.Faults;
using PSModel.Core.Publishing;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>An upload goes on in the next call, whatever ended the one before, and never at another's place.</summary>
public sealed class ResumedUploadTests : UploadTests
{
    private string Work => Path.Combine(StorePath, ".psmodel");

    private string[] Remembered => Directory.Exists(Work) ? Directory.GetFiles(Work, "upload-*") : [];

    [Fact]
    public async Task One_that_was_stopped_goes_on()
    {
        await StopInChunkAsync(3);
        Assert.Single(Remembered);
        Assert.Equal(1, Server.OpenUploads);

        await GoOnAsync("4194304-6291455");
        Assert.Equal(2 * 2L * Unit, Published.Single(blob => blob.Layer.Digest.ToString() == Weights.Digest).Meter.BytesResumed);
        Assert.Empty(Remembered);
        Assert.Equal(["lock"], Directory.GetFiles(Work).Select(Path.GetFileName));
    }

    [Fact]
    public async Task One_that_a_registry_refused_for_long_goes_on()
    {
        Server.Fault = request => request.Status = request.Method == "PATCH" && !request.Headers["content-range"].StartsWith("0-", StringComparison.Ordinal) ? 503 : null;
        await PublishAsync(ModelName);
        Assert.True(Assert.Single(Faults).IsTransient);
        Assert.Single(Remembered);
        await GoOnAsync("2097152-4194303");
    }

    [Fact]
    public async Task One_that_the_registry_does_not_tell_of_for_a_while_is_not_forgotten()
    {
        await StopInChunkAsync(3);
        Server.Fault = request => request.Status = request.Path.Contains("/uploads/", StringComparison.Ordinal) ? 503 : null;
        await PublishAsync(ModelName);
        Assert.True(Assert.Single(Faults).IsTransient);
        await GoOnAsync("4194304-6291455");
    }

    [Fact]
    public async Task One_that_the_registry_has_lost_begins_anew()
    {
        await StopInChunkAsync(3);
        Server.Fault = request => request.IsUploadLost = request.Method == "GET";
        ChunkCount = Chunks.Count;
        await PublishWholeAsync();
        Assert.StartsWith("0-", Chunks[ChunkCount].Headers["content-range"], StringComparison.Ordinal);
        Assert.Empty(Remembered);
    }

    /// <summary>The digest of the whole tells, and the bytes are sent once more.</summary>
    [Fact]
    public async Task One_to_which_somebody_else_has_written_begins_anew_and_ends_right()
    {
        await StopInChunkAsync(3);
        Server.ChangeUploads(bytes => bytes[5] ^= 1);
        Server.Fault = null;
        await PublishWholeAsync();
        Assert.Equal(2, Chunks.Count(chunk => chunk.Headers["content-range"].StartsWith("0-", StringComparison.Ordinal)));
    }

    /// <summary>Others may write in the work folder, and who publishes shows a registry who it is.</summary>
    [Theory]
    [InlineData("http://127.0.0.1:9/v2/library/demo/blobs/uploads/x")]
    [InlineData("https://elsewhere.example/v2/library/demo/blobs/uploads/x")]
    [InlineData("http://user:word@{0}/v2/library/demo/blobs/uploads/x")]
    [InlineData("no address")]
    [InlineData("")]
    public async Task A_place_at_another_host_is_not_gone_to(string place)
    {
        await StopInChunkAsync(2);
        string[] lines = await File.ReadAllLinesAsync(Remembered.Single());
        lines[2] = string.Format(CultureInfo.InvariantCulture, place, Server.Address.Authority);
        await File.WriteAllLinesAsync(Remembered.Single(), lines);
        Server.Fault = null;
        await PublishWholeOnceMoreAsync();
        Assert.Equal(2, Chunks.Count(chunk => chunk.Headers["content-range"].StartsWith("0-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_place_of_another_repository_is_left_alone()
    {
        await StopInChunkAsync(2);
        Server.Fault = null;
        string other = Put(Loopback.LoopbackModel.OfBlobs("library/other", "latest", [Weights]), Server.Address);
        await PublishAsync(other);
        Assert.Empty(Faults);
        Assert.Single(Remembered);
    }

    [Fact]
    public async Task A_second_call_leaves_the_upload_of_the_first_alone()
    {
        using UploadFile first = new(new ModelStore(StorePath), Core.Names.BlobDigest.Parse(Weights.Digest), Server.Address.GetLeftPart(UriPartial.Authority), "library/demo");
        first.Write(new Registry.UploadState(new Uri(Server.Begin("/v2/library/demo/blobs/uploads/first")), 0, 0));
        await PublishAsync(ModelName);
        Assert.Empty(Faults);
        Assert.DoesNotContain(Server.Requests, request => request.Path.Contains("uploads/first", StringComparison.Ordinal));
        Assert.EndsWith("uploads/first", first.TryRead()!.Location.AbsolutePath, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_published_all_the_same()
    {
        Directory.CreateDirectory(StorePath);
        await File.WriteAllTextAsync(Work, "no folder");
        await PublishWholeAsync();
    }

    /// <summary>The call ends as at Ctrl-C, while the registry has taken half of a chunk.</summary>
    private async Task StopInChunkAsync(int chunk)
    {
        using CancellationTokenSource stop = new();
        FaultAt(chunk, request =>
        {
            request.CutAfter = 0;
            stop.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PublishAsync([ModelName], cancellationToken: stop.Token)).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task GoOnAsync(string range)
    {
        int before = Chunks.Count;
        Server.Fault = null;
        await PublishWholeAsync();
        Assert.Equal(range, Chunks[before].Headers["content-range"]);
    }

    /// <summary>The upload of before is still at the registry, and nobody's.</summary>
    private async Task PublishWholeOnceMoreAsync()
    {
        await PublishAsync(ModelName);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(Server.Blobs[Weights.Digest]));
    }
}
