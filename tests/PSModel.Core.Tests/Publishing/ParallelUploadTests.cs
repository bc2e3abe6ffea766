using PSModel.Loopback;

namespace PSModel.Core.Tests.Publishing;

/// <summary>Blobs that are sent side by side.</summary>
public sealed class ParallelUploadTests : UploadTests
{
    /// <summary>One blob too many would have come by then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task As_many_are_sent_at_a_time_as_are_wanted(int wanted)
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/many", "latest", 6, 10_000);
        string name = Put(model, Server.Address);
        Options.BlobsAtATime = wanted;
        int asked = 0;
        int most = 0;
        Server.Fault = request =>
        {
            // The beginning of each upload is held until as many are underway, and then for one too many.
            if (request.Method == "POST" && Interlocked.Increment(ref asked) <= wanted)
            {
                SpinWait.SpinUntil(() => Volatile.Read(ref asked) >= wanted, TimeSpan.FromSeconds(30));
                SpinWait.SpinUntil(() => Volatile.Read(ref asked) > wanted, Patience);
                Interlocked.CompareExchange(ref most, Volatile.Read(ref asked), 0);
            }
        };
        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(wanted, most);
        Assert.All(model.Blobs, blob => Assert.True(Server.Blobs.ContainsKey(blob.Digest)));
    }
}
