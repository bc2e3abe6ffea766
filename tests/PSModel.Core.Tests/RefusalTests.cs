using PSModel.Core.Buffers;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests;

/// <summary>What the scheduler makes of a request that is refused while others are served.</summary>
public sealed class RefusalTests
{
    private const int MiB = 1024 * 1024;

    private static readonly FetchFailure Refused = new(new IOException("503"), IsTransient: true, IsRefusal: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_refusal_counts_for_nothing_where_bytes_came_after_the_request(bool haveCome)
    {
        // Once: on a busy machine the others had just come to the end of their answers and had not asked again.
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 2, MaximumRetries = 0, BufferSize = MiB });
        long now = 1000;
        scheduler.Add(new BlobSchedule(100 * MiB, [new ByteRange(0, 100 * MiB)], isSmall: false, hasCheckpoints: false, _ => { }), now);
        LaneSchedule served = Enter(scheduler, now);
        scheduler.Opened(served, now);
        LaneSchedule refused = Enter(scheduler, now + 10);
        if (haveCome)
        {
            Assert.Equal(MiB, scheduler.Received(served, new SharedBuffer([]), 0, 0, MiB, now + 20));
        }

        Scheduler.Leave(served);
        Assert.Equal(haveCome, scheduler.Failed(refused, Refused, now + 30, out _) is null);
    }

    [Fact]
    public void What_the_only_connection_brought_itself_excuses_no_refusal()
    {
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 1, MaximumRetries = 0, BufferSize = MiB });
        foreach (int _ in new[] { 1, 2 })
        {
            scheduler.Add(new BlobSchedule(1000, [new ByteRange(0, 1000)], isSmall: true, hasCheckpoints: false, _ => { }), 1000);
        }

        LaneSchedule lane = Enter(scheduler, 1000);
        scheduler.Opened(lane, 1000);
        Assert.Equal(1000, scheduler.Received(lane, new SharedBuffer([]), 0, 0, 1000, 1010));
        Scheduler.Leave(lane);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, 1010).Kind);
        Assert.NotNull(scheduler.Failed(lane, Refused, 1010, out _));
    }

    private static LaneSchedule Enter(Scheduler scheduler, long now)
    {
        LaneSchedule lane = new(() => { });
        scheduler.Limit.Receive(1);
        scheduler.Limit.Look(isStarved: true, isBusy: false, now);
        scheduler.Enter(lane);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, now).Kind);
        return lane;
    }
}
