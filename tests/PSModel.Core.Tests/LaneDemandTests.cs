using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests;

/// <summary>How many lanes there are for another reason than that more bring more, and which blob each goes to.</summary>
public sealed class LaneDemandTests : SchedulerSteps
{
    [Fact]
    public void Blobs_whose_hashes_cannot_keep_up_with_one_lane_get_one_each_and_keep_it()
    {
        // Once: one lane went to and fro between them, with a connection each time, and what was on its way sent in vain.
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 4, Buffers = 64, BufferSize = Buffer, Cores = 2 });
        BlobSchedule first = Add(scheduler, 20 * MiB);
        LaneSchedule lane = Enter(scheduler, 1)[0];
        FetchAll(scheduler, lane);
        Scheduler.Leave(lane);
        Assert.True(scheduler.WantsBlob);
        BlobSchedule second = Add(scheduler, 20 * MiB);
        Assert.Equal(LaneOrderKind.Wait, scheduler.Next(lane, Now).Kind);
        Assert.True(scheduler.WantsLane);
        LaneSchedule other = Enter(scheduler, 1)[0];
        Assert.Same(second, other.Segment!.Blob);
        FetchAll(scheduler, other);
        Scheduler.Leave(other);

        first.Release((int)first.Backlog, Now);

        Assert.Equal(LaneOrderKind.Wait, scheduler.Next(other, Now).Kind);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, Now).Kind);
        Assert.Same(first, lane.Segment!.Blob);
    }

    [Fact]
    public void A_blob_whose_hash_is_behind_for_a_moment_gets_the_lanes_that_bring_more()
    {
        // Once: they were left without work, seemed to bring nothing, and none was tried for five seconds.
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 4, Buffers = 64, BufferSize = Buffer, Cores = 2 });
        BlobSchedule blob = Add(scheduler, 20 * MiB);
        FetchAll(scheduler, Enter(scheduler, 1)[0]);
        Add(scheduler, 20 * MiB);
        blob.Release((int)blob.Backlog - Buffer, Now);
        Assert.True(blob.IsBehind);

        Assert.All(Enter(scheduler, 3), more => Assert.Same(blob, more.Segment!.Blob));
    }

    [Fact]
    public void Small_blobs_have_lanes_for_both_processors_as_soon_as_something_is_served()
    {
        // Once: one lane fetched, hashed and wrote them, and a processor was idle.
        Scheduler scheduler = Served(new ScheduleOptions { Cores = 2 });
        List<LaneSchedule> lanes = [];
        for (int i = 0; i < 5; i++)
        {
            Add(scheduler, 1000, isSmall: true);
            Assert.Equal(i < 3, scheduler.WantsLane);
            lanes.AddRange(scheduler.WantsLane ? Enter(scheduler, 1) : []);
        }

        Assert.Equal(3, lanes.Select(lane => lane.Segment!.Blob).Distinct().Count());
        Assert.Equal(1, scheduler.Limit.Target);
    }

    [Fact]
    public void While_nothing_is_served_one_lane_asks()
    {
        Scheduler scheduler = new(new ScheduleOptions { Cores = 2 });
        Add(scheduler, 1000, isSmall: true);
        Add(scheduler, 1000, isSmall: true);
        Enter(scheduler, 1);
        Assert.False(scheduler.WantsLane);
    }

    [Fact]
    public void The_lanes_of_small_blobs_stay_for_a_moment_in_which_none_is_added()
    {
        ScheduleOptions options = new() { Cores = 2 };
        LaneDemand demand = new(options, new LaneLimit(options.Lanes));
        demand.NoteServed();
        BlobSchedule[] blobs = [.. Enumerable.Range(0, 3).Select(_ => new BlobSchedule(1000, [new ByteRange(0, 1000)], isSmall: true, hasCheckpoints: false, Delivered.Add))];
        demand.Look(blobs, lanes: 3, mayGrow: true, Now);

        demand.Look([], lanes: 3, mayGrow: true, Now + 999);
        Assert.Equal(3, demand.Wanted([]));

        demand.Look([], lanes: 3, mayGrow: true, Now + 1000);
        Assert.Equal(1, demand.Wanted([]));
    }

    [Theory]
    [InlineData(1, true, 2, 1)]
    [InlineData(2, true, 2, 2)]
    [InlineData(16, true, 16, 4)]
    [InlineData(16, false, 2, 1)]
    public void Small_blobs_have_no_more_lanes_than_are_allowed_and_one_where_a_bandwidth_limit_holds_them(int most, bool mayGrow, int cores, int expected)
    {
        Scheduler scheduler = Served(new ScheduleOptions { Lanes = most, Cores = cores });
        scheduler.Tick(mayGrow, isBusy: false, Now);

        // What the limit holds now, it may let go in the next moment, and hold again.
        scheduler.Tick(mayGrow: true, isBusy: false, Now + 30);
        for (int i = 0; i < 5; i++)
        {
            Add(scheduler, 1000, isSmall: true);
        }

        int lanes = 0;
        for (; scheduler.WantsLane; lanes++)
        {
            Enter(scheduler, 1);
        }

        Assert.Equal(expected, lanes);
    }

    [Fact]
    public void Beside_a_large_blob_lanes_are_there_as_more_bring_more()
    {
        Scheduler scheduler = Served(new ScheduleOptions { Cores = 2 });
        BlobSchedule[] small = [Add(scheduler, 1000, isSmall: true), Add(scheduler, 1000, isSmall: true), Add(scheduler, 1000, isSmall: true)];
        LaneSchedule[] lanes = [Enter(scheduler, 1)[0], Enter(scheduler, 1)[0]];
        Assert.True(scheduler.WantsLane);
        BlobSchedule large = Add(scheduler, 20 * MiB);
        Assert.False(scheduler.WantsLane);

        Array.ForEach(lanes, Scheduler.Leave);
        Array.ForEach(small, blob => scheduler.Remove(blob));
        Assert.Equal(LaneOrderKind.Leave, scheduler.Next(lanes[0], Now).Kind);
        scheduler.Exit(lanes[0]);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lanes[1], Now).Kind);
        Assert.Same(large, lanes[1].Segment!.Blob);
    }

    [Fact]
    public void A_server_that_serves_one_connection_and_cuts_the_others_is_asked_by_one_for_a_while()
    {
        Scheduler scheduler = Served(new ScheduleOptions { Cores = 2 });
        Add(scheduler, 1000, isSmall: true);
        Add(scheduler, 1000, isSmall: true);
        Add(scheduler, 1000, isSmall: true);
        LaneSchedule[] lanes = [Enter(scheduler, 1)[0], Enter(scheduler, 1)[0]];
        Assert.Null(scheduler.Failed(lanes[1], new FetchFailure(new IOException("reset"), IsTransient: true), Now, out _));

        Assert.Equal(LaneOrderKind.Leave, scheduler.Next(lanes[1], Now).Kind);
        scheduler.Exit(lanes[1]);
        Assert.False(scheduler.WantsLane);

        Now += 5000;
        scheduler.Tick(mayGrow: true, isBusy: true, Now);
        Assert.True(scheduler.WantsLane);
    }

    /// <summary>A schedule to which bytes have come.</summary>
    private Scheduler Served(ScheduleOptions options)
    {
        Scheduler scheduler = new(options);
        BlobSchedule first = Add(scheduler, 1000, isSmall: true);
        LaneSchedule lane = Enter(scheduler, 1)[0];
        Fetch(scheduler, lane, 1000);
        scheduler.Remove(first);
        scheduler.Exit(lane);
        return scheduler;
    }
}
