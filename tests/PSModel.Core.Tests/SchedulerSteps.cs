using PSModel.Core.Buffers;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests;

/// <summary>The steps of a schedule that tests have in common, with a clock of its own.</summary>
public abstract class SchedulerSteps
{
    private protected const int Buffer = 256 * 1024;
    private protected const long MiB = 1024 * 1024;

    private protected List<Chunk> Delivered { get; } = [];

    private protected Dictionary<LaneSchedule, long> Positions { get; } = [];

    private protected List<LaneSchedule> Interrupted { get; } = [];

    private protected long Now { get; set; } = 1000;

    private protected BlobSchedule Add(Scheduler scheduler, long size, bool isSmall = false)
    {
        BlobSchedule blob = new(size, [new ByteRange(0, size)], isSmall, hasCheckpoints: false, Delivered.Add);
        scheduler.Add(blob, Now);
        return blob;
    }

    /// <summary>Lanes that have taken a segment each, all at once.</summary>
    private protected List<LaneSchedule> Enter(Scheduler scheduler, int count, bool open = true)
    {
        for (scheduler.Limit.Receive(1); scheduler.Limit.Target < count; Now += 30)
        {
            scheduler.Limit.Receive(1);
            scheduler.Limit.Look(isStarved: true, isBusy: false, Now);
        }

        List<LaneSchedule> lanes = [];
        for (int i = 0; i < count; i++)
        {
            LaneSchedule? lane = null;
            lane = new LaneSchedule(() => Interrupted.Add(lane!));
            lanes.Add(lane);
            scheduler.Enter(lane);
            Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, Now).Kind);
            Positions[lane] = lane.Segment!.Frontier;
            if (open)
            {
                scheduler.Opened(lane, Now);
            }
        }

        return lanes;
    }

    private protected void Fetch(Scheduler scheduler, LaneSchedule lane, int bytes)
    {
        Assert.Equal(RoomOrder.GoOn, scheduler.Room(lane, needsBuffer: true, Now));
        Receive(scheduler, lane, bytes);
    }

    /// <summary>Fetches segment after segment until there is no room.</summary>
    private protected void FillRoom(Scheduler scheduler, LaneSchedule lane)
    {
        for (RoomOrder order = RoomOrder.GoOn; order != RoomOrder.Wait; order = scheduler.Room(lane, needsBuffer: true, Now))
        {
            if (order == RoomOrder.GoOn && lane.Segment!.Missing > 0)
            {
                Receive(scheduler, lane, (int)Math.Min(Buffer, lane.Segment.Missing));
                continue;
            }

            Scheduler.Leave(lane);
            Assert.Equal(LaneOrderKind.Fetch, scheduler.Next(lane, Now).Kind);
            scheduler.Opened(lane, Now);
            Positions[lane] = lane.Segment!.Frontier;
        }
    }

    private protected bool IsFull(Scheduler scheduler, LaneSchedule lane)
    {
        FillRoom(scheduler, lane);
        return lane.Phase == LanePhase.WaitingForRoom;
    }

    private protected void FetchAll(Scheduler scheduler, LaneSchedule lane)
    {
        while (scheduler.Room(lane, needsBuffer: true, Now) == RoomOrder.GoOn)
        {
            Receive(scheduler, lane, (int)Math.Min(Buffer, lane.Segment!.Missing));
        }
    }

    private protected int Receive(Scheduler scheduler, LaneSchedule lane, int bytes)
    {
        Now += 5;
        int useful = scheduler.Received(lane, new SharedBuffer([]), 0, Positions[lane], bytes, Now);
        Positions[lane] += bytes;
        return useful;
    }
}
