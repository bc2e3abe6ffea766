using PSModel.Core.Faults;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>An upload goes on from what the registry has, whatever went wrong, and what arrives is right or nothing.</summary>
public sealed class UploadFaultTests : UploadTests
{
    [Fact]
    public async Task It_goes_in_chunks_and_waits_for_leave_before_each()
    {
        await PublishWholeAsync();
        Assert.Equal(["0-2097151", "2097152-4194303", "4194304-6291455", "6291456-7340031"], Chunks.Select(chunk => chunk.Headers["content-range"]));
        Assert.All(Chunks, chunk => Assert.Equal(("application/octet-stream", "100-continue"), (chunk.Headers["content-type"], chunk.Headers["expect"])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(700_001)]
    [InlineData((2 * Unit) - 1)]
    [InlineData(2 * Unit)]
    public async Task A_cut_costs_nothing_that_the_registry_has(int bytes)
    {
        FaultAt(2, request => request.CutAfter = bytes);
        await PublishWholeAsync();
        Assert.Equal(Weights.Length, BytesOfChunks);
        Assert.Equal(1, Published.Single(blob => blob.Layer.Digest.ToString() == Weights.Digest).Meter.RetryCount);
    }

    [Fact]
    public async Task Retries_are_counted_in_a_row()
    {
        Server.Fault = request => request.CutAfter = request.Method == "PATCH" ? 100_000 : null;
        await PublishWholeAsync();
        Assert.True(Chunks.Count > 70);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(408)]
    [InlineData(416)]
    [InlineData(404)]
    [InlineData(400)]
    public async Task A_refusal_of_one_chunk_ends_nothing(int status)
    {
        FaultAt(3, request => request.Status = status);
        await PublishWholeAsync();
        Assert.Equal(Weights.Length, BytesOfChunks);
    }

    [Fact]
    public async Task Refusals_in_a_row_end_it_and_the_upload_is_removed()
    {
        Server.Fault = request => request.Status = request.Method == "PATCH" ? 500 : null;
        await PublishAsync(ModelName);
        Assert.Equal(ModelFault.UnexpectedStatus, Assert.Single(Faults).Fault);
        Assert.Equal(4, Chunks.Count);
        Assert.Equal(0, Server.OpenUploads);
        Assert.Empty(Server.Manifests);
    }

    [Fact]
    public async Task An_upload_that_the_registry_has_lost_begins_anew()
    {
        FaultAt(3, request => request.IsUploadLost = true);
        await PublishWholeAsync();
        Assert.Equal(2, Chunks.Count(chunk => chunk.Headers["content-range"].StartsWith("0-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task One_that_is_lost_each_time_ends_after_as_many_retries()
    {
        Server.Fault = request => request.IsUploadLost = request.Method == "PUT" && request.Path.Contains(Weights.Digest, StringComparison.Ordinal);
        await PublishAsync(ModelName);
        Assert.Equal(ModelFault.UnexpectedStatus, Assert.Single(Faults).Fault);
        Assert.InRange(Server.Requests.Count(request => request.Method == "POST"), 4, 6);
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task An_answer_that_is_lost_is_no_request_that_is_lost(string method)
    {
        bool isDone = false;
        Server.Fault = request =>
        {
            request.IsAnswerLost = !isDone && request.Method == method;
            isDone |= request.IsAnswerLost;
        };
        await PublishAsync(ModelName);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(Server.Blobs[Weights.Digest]));
        Assert.Equal(Weights.Length, BytesOfChunks);
        Assert.True(isDone);
    }

    [Fact]
    public async Task A_registry_that_stops_reading_is_stalled()
    {
        RegistryOptions.OperationTimeout = TimeSpan.FromMilliseconds(300);
        RegistryOptions.MaximumRetryCount = 0;
        Options.LargestChunk = 64 * Unit;
        LoopbackModel large = LoopbackModel.OfBlobs("library/large", "latest", [BlobContent.Generate(40 * Unit, 2)]);
        string name = Put(large, Server.Address);
        Server.Fault = request => request.StallAfter = request.Method == "PATCH" ? Unit : null;
        await PublishAsync(name);
        Assert.Equal(ModelFault.TransferStalled, Assert.Single(Faults).Fault);
        Assert.Contains("took nothing", Faults[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_stops_at_once_while_the_registry_reads_nothing()
    {
        Options.LargestChunk = 64 * Unit;
        LoopbackModel large = LoopbackModel.OfBlobs("library/large", "latest", [BlobContent.Generate(40 * Unit, 2)]);
        string name = Put(large, Server.Address);
        using CancellationTokenSource stop = new();
        RegistryOptions.OperationTimeout = Timeout.InfiniteTimeSpan;
        Server.Fault = request =>
        {
            request.StallAfter = request.Method == "PATCH" ? Unit : null;
            if (request.StallAfter is not null)
            {
                stop.CancelAfter(TimeSpan.FromMilliseconds(100));
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PublishAsync([name], cancellationToken: stop.Token)).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_request_that_is_too_large_for_what_stands_between_comes_in_smaller_ones()
    {
        Options.LargestChunk = 64 * Unit;
        Server.Fault = request => request.Status = request.Method == "PATCH" && int.Parse(request.Headers["content-length"], System.Globalization.CultureInfo.InvariantCulture) > 3 * Unit ? 413 : null;
        await PublishWholeAsync();
        Assert.Equal(Weights.Length, BytesOfChunks);
    }

    [Fact]
    public async Task Chunks_are_no_shorter_than_the_registry_wants_them()
    {
        Server.Fault = request =>
        {
            if (request.Method == "POST")
            {
                request.Status = 202;
                request.AnswerHeaders["Location"] = $"{request.Path}x";
                request.AnswerHeaders["OCI-Chunk-Min-Length"] = $"{(3 * Unit) + 1}";
            }
        };
        RegistryOptions.MaximumRetryCount = 0;
        await PublishAsync(ModelName);
        Assert.NotEmpty(Faults);
        Assert.Equal($"{4 * Unit}", Chunks[0].Headers["content-length"]);
    }

    [Fact]
    public async Task A_blob_that_changes_while_it_is_sent_is_not_published()
    {
        FaultAt(2, _ =>
        {
            using FileStream file = OpenToChange(Weights);
            file.Seek(7 * Unit - 5, SeekOrigin.Begin);
            file.WriteByte(1);
            file.WriteByte(2);
        });
        Options.LargestChunk = Unit;
        await PublishAsync(ModelName);
        Assert.Equal(ModelFault.DigestMismatch, Assert.Single(Faults).Fault);
        Assert.DoesNotContain(Server.Requests, request => request.Method == "PUT" && request.Path.Contains(Weights.Digest, StringComparison.Ordinal));
        Assert.Empty(Server.Manifests);
        Assert.Equal(0, Server.OpenUploads);
    }

    [Fact]
    public async Task A_blob_that_is_cut_short_while_it_is_sent_is_not_published()
    {
        LoopbackModel large = LoopbackModel.OfBlobs("library/large", "latest", [BlobContent.Generate(40 * Unit, 2)]);
        string name = Put(large, Server.Address);
        FaultAt(1, _ =>
        {
            using FileStream file = OpenToChange(large.Blobs[0]);
            file.SetLength(30 * Unit);
        });
        await PublishAsync(name);
        ModelFaultException fault = Assert.Single(Faults);
        Assert.Equal((ModelFault.SizeMismatch, 30L * Unit), (fault.Fault, fault.Facts.ActualSize));
        Assert.Equal(0, Server.OpenUploads);
        Assert.Empty(Server.Manifests);
    }

    [Fact]
    public async Task What_arrives_wrong_is_sent_once_more_and_then_told_of()
    {
        int ends = 0;
        Server.Fault = request =>
        {
            if (request.Method == "PUT" && request.Path.Contains(Weights.Digest, StringComparison.Ordinal))
            {
                ends++;
                request.Status = 400;
                request.AnswerText = "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}";
            }
        };
        await PublishAsync(ModelName);
        ModelFaultException fault = Assert.Single(Faults);
        Assert.Equal((ModelFault.DigestMismatch, 2), (fault.Fault, ends));
        Assert.Contains("proxy", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_never_goes_back()
    {
        long most = 0;
        Server.Fault = request =>
        {
            foreach (long now in Meters.ToList().Where(meter => meter.TotalBytes == Weights.Length).Select(meter => meter.BytesTransferred))
            {
                Assert.True(now >= most);
                most = now;
            }

            request.IsUploadLost = request.Method == "PATCH" && ++ChunkCount == 3;
            request.CutAfter = request.Method == "PATCH" && ChunkCount == 5 ? 100 : null;
        };
        await PublishWholeAsync();
        Assert.True(most > 0);
    }

    [Fact]
    public async Task A_manifest_that_is_taken_as_another_is_an_error()
    {
        Server.Fault = request =>
        {
            if (request.Method == "PUT" && request.Path.Contains("/manifests/", StringComparison.Ordinal))
            {
                request.Status = 201;
                request.AnswerHeaders["Docker-Content-Digest"] = Weights.Digest;
            }
        };
        await PublishAsync(ModelName);
        Assert.Equal(ModelFault.DigestMismatch, Assert.Single(Faults).Fault);
    }
}
