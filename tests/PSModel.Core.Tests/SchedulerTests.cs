using PSModel.Core.Buffers;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests;

/// <summary>The scheduler step by step: what lanes are told, and what becomes of their bytes.</summary>
public sealed class SchedulerTests
{
    private const int Buffer = 256 * 1024;
    private const long MiB = 1024 * 1024;

    private static readonly FetchFailure Cut = new(new IOException("cut"), IsTransient: true);
    private static readonly FetchFailure Refused = new(new IOException("503"), IsTransient: true, IsRefusal: true);

    private readonly List<Chunk> _delivered = [];
    private readonly Dictionary<LaneSchedule, long> _positions = [];
    private readonly List<LaneSchedule> _interrupted = [];
    private long _now = 1000;

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
        Assert.Null(scheduler.Failed(head, Cut, _now, out _));
        for (int tries = 0; tries < 2; tries++)
        {
            _now += 400;
            Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(head, _now).Kind);
            Assert.Same(stalled, head.Segment);
            Assert.Null(scheduler.Failed(head, Refused, _now, out _));
        }

        Assert.Equal(LaneOrderKind.Leave, scheduler.Next(head, _now).Kind);
        scheduler.Exit(head);
        Assert.Empty(stalled.Lanes);
        Assert.Equal(RoomOrder.Drop, scheduler.Room(lanes[1], needsBuffer: true, _now));
        Assert.Same(stalled, lanes[1].Segment);
        Assert.Equal(RoomOrder.GoOn, scheduler.Room(lanes[1], needsBuffer: true, _now));
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
        Assert.Null(scheduler.Failed(head, Cut, _now, out _));
        _now += 400;
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(head, _now).Kind);
        Assert.Same(missing, head.Segment);
        Assert.False(scheduler.IgnoresRanges(head));
        Scheduler.Leave(head);
        Assert.Equal(LaneOrderKind.Wait, scheduler.Next(head, _now).Kind);

        Assert.Equal(RoomOrder.Drop, scheduler.Room(lanes[1], needsBuffer: true, _now));
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
        scheduler.Limit.Refuse(others: 1, retryAfter: null, _now);
        FetchAll(scheduler, owner);
        Assert.True(owner.Segment!.IsComplete);
        Scheduler.Leave(owner);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(owner, _now).Kind);
        Assert.Equal(LaneOrderKind.Leave, scheduler.Next(lanes[1], _now).Kind);
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

        Assert.Equal(_delivered.OrderBy(chunk => chunk.Offset), _delivered);
        Assert.Equal(3 * MiB, _delivered.Sum(chunk => chunk.Length));
        Assert.Equal(BlobState.Arrived, blob.State);
    }

    [Fact]
    public void Of_two_lanes_with_the_same_bytes_the_first_to_arrive_wins_and_the_other_is_interrupted()
    {
        Scheduler scheduler = new(new ScheduleOptions { Lanes = 2 });
        BlobSchedule blob = Add(scheduler, 600_000);
        LaneSchedule slow = Enter(scheduler, 1)[0];
        Fetch(scheduler, slow, bytes: 1000);
        _now += 5000;
        LaneSchedule helper = new(() => { });
        scheduler.Enter(helper);
        scheduler.Limit.Look(isStarved: true, isBusy: false, _now);
        scheduler.Limit.Look(isStarved: true, isBusy: false, _now + 30);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(helper, _now).Kind);
        Assert.Same(slow.Segment, helper.Segment);
        scheduler.Opened(helper, _now);
        _positions[helper] = 1000;
        Receive(scheduler, helper, 200_000);
        Assert.Equal(0, Receive(scheduler, slow, 100));
        Receive(scheduler, helper, Buffer);
        Receive(scheduler, helper, 600_000 - 201_000 - Buffer);
        Assert.Equal(BlobState.Arrived, blob.State);
        Assert.Equal(600_000, _delivered.Sum(chunk => chunk.Length));
        Assert.Equal([slow], _interrupted);
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
        Assert.Equal(RoomOrder.Drop, scheduler.Room(lane, needsBuffer: true, _now));
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
                final ??= scheduler.Failed(lane, Refused, _now, out _);
            }

            _now = Math.Max(_now, blob.NotBefore) + 1;
            if (final is null)
            {
                Assert.All(lanes, lane => Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, _now).Kind));
            }
        }

        Assert.Equal(3, rounds);
    }

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
        Assert.Equal(LaneOrderKind.Wait, scheduler.Next(lane, _now).Kind);
        Assert.True(scheduler.WantsLane);
        LaneSchedule other = Enter(scheduler, 1)[0];
        Assert.Same(second, other.Segment!.Blob);
        FetchAll(scheduler, other);
        Scheduler.Leave(other);

        first.Release((int)first.Backlog, _now);

        Assert.Equal(LaneOrderKind.Wait, scheduler.Next(other, _now).Kind);
        Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, _now).Kind);
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
        blob.Release((int)blob.Backlog - Buffer, _now);
        Assert.True(blob.IsBehind);

        Assert.All(Enter(scheduler, 3), more => Assert.Same(blob, more.Segment!.Blob));
    }

    private BlobSchedule Add(Scheduler scheduler, long size)
    {
        BlobSchedule blob = new(size, [new ByteRange(0, size)], isSmall: false, hasCheckpoints: false, _delivered.Add);
        scheduler.Add(blob, _now);
        return blob;
    }

    /// <summary>Lanes that have taken a segment each, all at once.</summary>
    private List<LaneSchedule> Enter(Scheduler scheduler, int count, bool open = true)
    {
        for (scheduler.Limit.Receive(1); scheduler.Limit.Target < count; _now += 30)
        {
            scheduler.Limit.Receive(1);
            scheduler.Limit.Look(isStarved: true, isBusy: false, _now);
        }

        List<LaneSchedule> lanes = [];
        for (int i = 0; i < count; i++)
        {
            LaneSchedule? lane = null;
            lane = new LaneSchedule(() => _interrupted.Add(lane!));
            lanes.Add(lane);
            scheduler.Enter(lane);
            Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, _now).Kind);
            _positions[lane] = lane.Segment!.Frontier;
            if (open)
            {
                scheduler.Opened(lane, _now);
            }
        }

        return lanes;
    }

    private void Fetch(Scheduler scheduler, LaneSchedule lane, int bytes)
    {
        Assert.Equal(RoomOrder.GoOn, scheduler.Room(lane, needsBuffer: true, _now));
        Receive(scheduler, lane, bytes);
    }

    /// <summary>Fetches segment after segment until there is no room.</summary>
    private void FillRoom(Scheduler scheduler, LaneSchedule lane)
    {
        for (RoomOrder order = RoomOrder.GoOn; order != RoomOrder.Wait; order = scheduler.Room(lane, needsBuffer: true, _now))
        {
            if (order == RoomOrder.GoOn && lane.Segment!.Missing > 0)
            {
                Receive(scheduler, lane, (int)Math.Min(Buffer, lane.Segment.Missing));
                continue;
            }

            Scheduler.Leave(lane);
            Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, _now).Kind);
            scheduler.Opened(lane, _now);
            _positions[lane] = lane.Segment!.Frontier;
        }
    }

    private bool IsFull(Scheduler scheduler, LaneSchedule lane)
    {
        FillRoom(scheduler, lane);
        return lane.Phase == LanePhase.WaitingForRoom;
    }

    private void FetchAll(Scheduler scheduler, LaneSchedule lane)
    {
        while (scheduler.Room(lane, needsBuffer: true, _now) == RoomOrder.GoOn)
        {
            Receive(scheduler, lane, (int)Math.Min(Buffer, lane.Segment!.Missing));
        }
    }

    private int Receive(Scheduler scheduler, LaneSchedule lane, int bytes)
    {
        _now += 5;
        int useful = scheduler.Received(lane, new SharedBuffer([]), 0, _positions[lane], bytes, _now);
        _positions[lane] += bytes;
        return useful;
    }
}
