using PSModel.Core.Buffers;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests;

/// <summary>The scheduler step by step: what lanes are told, and what becomes of their bytes.</summary>
public sealed class SchedulerTests : SchedulerSteps
{
    private static readonly FetchFailure Cut = new(new IOException("cut"), IsTransient: true);
    private static readonly FetchFailure Refused = new(new IOException("503"), IsTransient: true, IsRefusal: true);

    [Fact]
    public void The_head_of_the_line_that_stalled_and_was_refused_goes_to_a_lane_that_waits_for_room()
    {
        // Once: the head's lane retired, the others waited for room that only its bytes could make, and nobody took them.
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 4, Buffers = 16, BufferSize = Buffer, RetryInterval = 1 });
        BlobSchedule blob = Add(scheduler, 100 * MiB);
        List<LaneSchedule> lanes = Enter(scheduler, 4);
        LaneSchedule head = lanes[0];
        Fetch(scheduler, head, bytes: 100_000);
        foreach (LaneSchedule lane in lanes.Skip(1))
        {
            FillRoom(scheduler, lane);
            Assert.Equal(LanePhase.WaitingForRoom, lane.Phase);
        }

        Segment stalled = blob.Head!;
        Assert.Null(scheduler.Failed(head, Cut, Now, out _));
        for (int tries = 0; tries < 2; tries++)
        {
            Now += 400;
            Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(head, Now).Kind);
            Assert.Same(stalled, head.Segment);
            Assert.Null(scheduler.Failed(head, Refused, Now, out _));
        }

        Assert.Equal(LaneOrderKind.Leave, scheduler.Next(head, Now).Kind);
        scheduler.Exit(head);
        Assert.Empty(stalled.Lanes);
        Assert.Equal(RoomOrder.Drop, scheduler.Room(lanes[1], needsBuffer: true, Now));
        Assert.Same(stalled, lanes[1].Segment);
        Assert.Equal(RoomOrder.GoOn, scheduler.Room(lanes[1], needsBuffer: true, Now));
    }

    [Fact]
    public void The_head_of_a_blob_whose_server_begins_to_ignore_ranges_goes_to_a_lane_that_waits_for_room()
    {
        // Once: only the lane that owned the blob might fetch it, and that one waited for room behind its missing head.
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 4, Buffers = 16, BufferSize = Buffer, RetryInterval = 1 });
        BlobSchedule blob = Add(scheduler, 100 * MiB);
        List<LaneSchedule> lanes = Enter(scheduler, 4);
        LaneSchedule head = lanes[0];
        Fetch(scheduler, head, bytes: 100_000);
        lanes.ForEach(lane => Assert.True(lane == head || IsFull(scheduler, lane)));
        Segment missing = blob.Head!;
        Assert.Null(scheduler.Failed(head, Cut, Now, out _));
        Now += 400;
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(head, Now).Kind);
        Assert.Same(missing, head.Segment);
        Assert.False(scheduler.IgnoresRanges(head));
        Scheduler.Leave(head);
        Assert.Equal(LaneOrderKind.Wait, scheduler.Next(head, Now).Kind);

        Assert.Equal(RoomOrder.Drop, scheduler.Room(lanes[1], needsBuffer: true, Now));
        Assert.Same(missing, lanes[1].Segment);
        Assert.True(scheduler.IgnoresRanges(lanes[1]));
    }

    [Fact]
    public void Of_more_lanes_than_are_worth_it_the_one_that_has_what_the_server_sends_stays()
    {
        // Once: the first to ask left, and where that was the owner the server had to send everything again.
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 4 });
        BlobSchedule blob = Add(scheduler, 100 * MiB);
        List<LaneSchedule> lanes = Enter(scheduler, 2);
        LaneSchedule owner = lanes[0];
        Scheduler.Leave(lanes[1]);
        Assert.True(scheduler.IgnoresRanges(owner));
        scheduler.Limit.Refuse(others: 1, retryAfter: null, Now);
        FetchAll(scheduler, owner);
        Assert.True(owner.Segment!.IsComplete);
        Scheduler.Leave(owner);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(owner, Now).Kind);
        Assert.Equal(LaneOrderKind.Leave, scheduler.Next(lanes[1], Now).Kind);
        Assert.Same(owner, blob.Owner);
    }

    [Fact]
    public void Whatever_the_order_of_arrival_the_order_of_delivery_is_that_of_the_blob()
    {
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 3 });
        BlobSchedule blob = Add(scheduler, 3 * MiB);
        List<LaneSchedule> lanes = Enter(scheduler, 3);
        Assert.Equal(lanes.Select(lane => lane.Segment), blob.Segments);
        foreach (LaneSchedule lane in lanes.AsEnumerable().Reverse())
        {
            FetchAll(scheduler, lane);
        }

        Assert.Equal(Delivered.OrderBy(chunk => chunk.Offset), Delivered);
        Assert.Equal(3 * MiB, Delivered.Sum(chunk => chunk.Length));
        Assert.Equal(BlobState.Arrived, blob.State);
    }

    [Fact]
    public void Of_two_lanes_with_the_same_bytes_the_first_to_arrive_wins_and_the_other_is_interrupted()
    {
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 2 });
        BlobSchedule blob = Add(scheduler, 600_000);
        LaneSchedule slow = Enter(scheduler, 1)[0];
        Fetch(scheduler, slow, bytes: 1000);
        Now += 5000;
        LaneSchedule helper = new(() => { });
        scheduler.Enter(helper);
        scheduler.Limit.Look(isStarved: true, isBusy: false, Now);
        scheduler.Limit.Look(isStarved: true, isBusy: false, Now + 30);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(helper, Now).Kind);
        Assert.Same(slow.Segment, helper.Segment);
        scheduler.Opened(helper, Now);
        Positions[helper] = 1000;
        Receive(scheduler, helper, 200_000);
        Assert.Equal(0, Receive(scheduler, slow, 100));
        Receive(scheduler, helper, Buffer);
        Receive(scheduler, helper, 600_000 - 201_000 - Buffer);
        Assert.Equal(BlobState.Arrived, blob.State);
        Assert.Equal(600_000, Delivered.Sum(chunk => chunk.Length));
        Assert.Equal([slow], Interrupted);
    }

    [Fact]
    public void Bytes_past_a_segment_that_was_cut_in_two_are_passed_over()
    {
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 1 });
        BlobSchedule blob = Add(scheduler, 2 * MiB);
        LaneSchedule lane = Enter(scheduler, 1)[0];
        Fetch(scheduler, lane, bytes: 1000);
        Segment rest = blob.Split(lane.Segment!, 1500);
        Assert.Equal(500, Receive(scheduler, lane, 10_000));
        Assert.Equal(RoomOrder.Drop, scheduler.Room(lane, needsBuffer: true, Now));
        Assert.Same(rest, blob.Head);
        Assert.Equal(1500, rest.Frontier);
    }

    [Fact]
    public void Retries_in_a_row_without_progress_end_the_blob_and_lanes_that_fail_together_count_once()
    {
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 4, MaximumRetries = 2, RetryInterval = 100 });
        BlobSchedule blob = Add(scheduler, 100 * MiB);
        List<LaneSchedule> lanes = Enter(scheduler, 4, open: false);
        Exception? final = null;
        int rounds = 0;
        while (final is null)
        {
            rounds++;
            foreach (LaneSchedule lane in lanes)
            {
                final ??= scheduler.Failed(lane, Refused, Now, out _);
            }

            Now = Math.Max(Now, blob.NotBefore) + 1;
            if (final is null)
            {
                Assert.All(lanes, lane => Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, Now).Kind));
            }
        }

        Assert.Equal(3, rounds);
    }
}
