using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>An upload goes on from what the registry has, whatever went wrong, and what arrives is right or nothing.</summary>
public sealed class UploadFaultTests : PublishTests
{
    private readonly PushRegistry _registry = new();
    private readonly LoopbackModel _model = LoopbackModel.OfBlobs("library/demo", "latest", [BlobContent.Generate(7 * Unit, 1)]);
    private readonly string _name;
    private int _chunks;

    public UploadFaultTests()
    {
        RegistryOptions.MaximumRetryCount = 3;
        _name = Put(_model, _registry.Address);
    }

    private BlobContent Weights => _model.Blobs[0];

    private List<PushRequest> Chunks => [.. _registry.Requests.Where(request => request.Method == "PATCH")];

    private long BytesOfChunks => Chunks.Sum(request => request.Body.LongLength);

    /// <summary>Does something to one of the chunks, counted from 1.</summary>
    private void FaultAt(int chunk, Action<PushRequest> fault) => _registry.Fault = request =>
    {
        if (request.Method == "PATCH" && ++_chunks == chunk)
        {
            fault(request);
        }
    };

    /// <summary>Opens a blob's file as a program does that does not mind others.</summary>
    private FileStream OpenToChange(BlobContent blob) => new(BlobFile(blob), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    private async Task PublishWholeAsync()
    {
        await PublishAsync(_name);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(_registry.Blobs[Weights.Digest]));
        Assert.Equal(_model.Manifest, _registry.Manifests["/v2/library/demo/manifests/latest"]);
        Assert.Equal(0, _registry.OpenUploads);
    }

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
        _registry.Fault = request => request.CutAfter = request.Method == "PATCH" ? 100_000 : null;
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
        _registry.Fault = request => request.Status = request.Method == "PATCH" ? 500 : null;
        await PublishAsync(_name);
        Assert.Equal(ModelFault.UnexpectedStatus, Assert.Single(Faults).Fault);
        Assert.Equal(4, Chunks.Count);
        Assert.Equal(0, _registry.OpenUploads);
        Assert.Empty(_registry.Manifests);
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
        _registry.Fault = request => request.IsUploadLost = request.Method == "PUT" && request.Path.Contains(Weights.Digest, StringComparison.Ordinal);
        await PublishAsync(_name);
        Assert.Equal(ModelFault.UnexpectedStatus, Assert.Single(Faults).Fault);
        Assert.InRange(_registry.Requests.Count(request => request.Method == "POST"), 4, 6);
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task An_answer_that_is_lost_is_no_request_that_is_lost(string method)
    {
        bool isDone = false;
        _registry.Fault = request =>
        {
            request.IsAnswerLost = !isDone && request.Method == method;
            isDone |= request.IsAnswerLost;
        };
        await PublishAsync(_name);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(_registry.Blobs[Weights.Digest]));
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
        string name = Put(large, _registry.Address);
        _registry.Fault = request => request.StallAfter = request.Method == "PATCH" ? Unit : null;
        await PublishAsync(name);
        Assert.Equal(ModelFault.TransferStalled, Assert.Single(Faults).Fault);
        Assert.Contains("took nothing", Faults[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_stops_at_once_while_the_registry_reads_nothing()
    {
        Options.LargestChunk = 64 * Unit;
        LoopbackModel large = LoopbackModel.OfBlobs("library/large", "latest", [BlobContent.Generate(40 * Unit, 2)]);
        string name = Put(large, _registry.Address);
        using CancellationTokenSource stop = new();
        RegistryOptions.OperationTimeout = Timeout.InfiniteTimeSpan;
        _registry.Fault = request =>
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
        _registry.Fault = request => request.Status = request.Method == "PATCH" && int.Parse(request.Headers["content-length"], System.Globalization.CultureInfo.InvariantCulture) > 3 * Unit ? 413 : null;
        await PublishWholeAsync();
        Assert.Equal(Weights.Length, BytesOfChunks);
    }

    [Fact]
    public async Task Chunks_are_no_shorter_than_the_registry_wants_them()
    {
        _registry.Fault = request =>
        {
            if (request.Method == "POST")
            {
                request.Status = 202;
                request.AnswerHeaders["Location"] = $"{request.Path}x";
                request.AnswerHeaders["OCI-Chunk-Min-Length"] = $"{(3 * Unit) + 1}";
            }
        };
        RegistryOptions.MaximumRetryCount = 0;
        await PublishAsync(_name);
        Assert.NotEmpty(Faults);
        Assert.Equal($"{4 * Unit}", Chunks[0].Headers["content-length"]);
    }

    [Theory]
    [InlineData("absolute")]
    [InlineData("query")]
    [InlineData("relative")]
    public async Task The_place_of_an_upload_is_followed(string form)
    {
        _registry.LocationOf = path => form switch
        {
            "absolute" => new Uri(_registry.Address, path).AbsoluteUri,
            "query" => $"{path}?_state=a%2Fb%3D&x=1",
            _ => path,
        };
        await PublishWholeAsync();
        Assert.Equal(form == "query", Chunks.All(chunk => chunk.Path.EndsWith("?_state=a%2Fb%3D&x=1", StringComparison.Ordinal)));
        Assert.Contains(_registry.Requests, request => request.Method == "PUT" && request.Path.EndsWith($"{(form == "query" ? "&" : "?")}digest={Weights.Digest}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_host_gets_no_credentials()
    {
        using PushRegistry storage = new();
        RegistryOptions.Credential = RegistryCredential.OfToken("s3cret-word");
        _registry.LocationOf = storage.Begin;
        await PublishAsync(_name);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(storage.Blobs[Weights.Digest]));
        Assert.All(_registry.Requests, request => Assert.Equal("Bearer s3cret-word", request.Headers["authorization"]));
        Assert.All(storage.Requests, request => Assert.False(request.Headers.ContainsKey("authorization")));
    }

    [Fact]
    public async Task Another_machine_is_not_reached_over_plain_http()
    {
        _registry.LocationOf = path => $"http://registry.example{path}";
        await PublishAsync(_name);
        Assert.All(Faults, fault => Assert.Equal(ModelFault.UntrustedRedirect, fault.Fault));
        Assert.NotEmpty(Faults);
        Assert.Empty(Chunks);
    }

    [Fact]
    public async Task A_redirect_of_a_chunk_is_sent_the_same_there()
    {
        using PushRegistry other = new();
        _registry.Fault = request =>
        {
            if (request.Method == "PATCH")
            {
                request.Status = 307;
                request.AnswerHeaders["Location"] = $"{other.Address.AbsoluteUri.TrimEnd('/')}{request.Path}";
            }
        };
        RegistryOptions.MaximumRetryCount = 0;
        await PublishAsync(_name);
        PushRequest chunk = Assert.Single(other.Requests, request => request.Method == "PATCH");
        Assert.Equal(("PATCH", 2 * Unit), (chunk.Method, chunk.Body.Length));
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
        await PublishAsync(_name);
        Assert.Equal(ModelFault.DigestMismatch, Assert.Single(Faults).Fault);
        Assert.DoesNotContain(_registry.Requests, request => request.Method == "PUT" && request.Path.Contains(Weights.Digest, StringComparison.Ordinal));
        Assert.Empty(_registry.Manifests);
        Assert.Equal(0, _registry.OpenUploads);
    }

    [Fact]
    public async Task A_blob_that_is_cut_short_while_it_is_sent_is_not_published()
    {
        LoopbackModel large = LoopbackModel.OfBlobs("library/large", "latest", [BlobContent.Generate(40 * Unit, 2)]);
        string name = Put(large, _registry.Address);
        FaultAt(1, _ =>
        {
            using FileStream file = OpenToChange(large.Blobs[0]);
            file.SetLength(30 * Unit);
        });
        await PublishAsync(name);
        ModelFaultException fault = Assert.Single(Faults);
        Assert.Equal((ModelFault.SizeMismatch, 30L * Unit), (fault.Fault, fault.Facts.ActualSize));
        Assert.Equal(0, _registry.OpenUploads);
        Assert.Empty(_registry.Manifests);
    }

    [Fact]
    public async Task What_arrives_wrong_is_sent_once_more_and_then_told_of()
    {
        int ends = 0;
        _registry.Fault = request =>
        {
            if (request.Method == "PUT" && request.Path.Contains(Weights.Digest, StringComparison.Ordinal))
            {
                ends++;
                request.Status = 400;
                request.AnswerText = "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}";
            }
        };
        await PublishAsync(_name);
        ModelFaultException fault = Assert.Single(Faults);
        Assert.Equal((ModelFault.DigestMismatch, 2), (fault.Fault, ends));
        Assert.Contains("proxy", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_never_goes_back()
    {
        long most = 0;
        _registry.Fault = request =>
        {
            foreach (long now in Meters.ToList().Where(meter => meter.TotalBytes == Weights.Length).Select(meter => meter.BytesTransferred))
            {
                Assert.True(now >= most);
                most = now;
            }

            request.IsUploadLost = request.Method == "PATCH" && ++_chunks == 3;
            request.CutAfter = request.Method == "PATCH" && _chunks == 5 ? 100 : null;
        };
        await PublishWholeAsync();
        Assert.True(most > 0);
    }

    [Fact]
    public async Task A_manifest_that_is_taken_as_another_is_an_error()
    {
        _registry.Fault = request =>
        {
            if (request.Method == "PUT" && request.Path.Contains("/manifests/", StringComparison.Ordinal))
            {
                request.Status = 201;
                request.AnswerHeaders["Docker-Content-Digest"] = Weights.Digest;
            }
        };
        await PublishAsync(_name);
        Assert.Equal(ModelFault.DigestMismatch, Assert.Single(Faults).Fault);
    }

    protected override void Dispose(bool isDisposing)
    {
        _registry.Dispose();
        base.Dispose(isDisposing);
    }
}
