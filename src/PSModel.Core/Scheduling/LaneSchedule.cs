namespace PSModel.Core.Scheduling;

/// <summary>What the schedule knows of a lane. Only the <see cref="Scheduler"/> changes it. Times are in milliseconds.</summary>
/// <param name="interrupt">Called when what the lane reads is of no use any more; must return at once.</param>
internal sealed class LaneSchedule(Action interrupt)
{
    /// <summary>How long a rate remembers.</summary>
    private const double Memory = 300;

    /// <summary>A rate is measured over so long at least.</summary>
    private const double Shortest = 20;

    /// <summary>Before it has read for so long, its rate is no reason to call a lane slow.</summary>
    private const long Settling = 400;

    private double _unrated;
    private long _begunAt;

    public LanePhase Phase { get; set; }

    public Segment? Segment { get; set; }

    /// <summary>The blob of its latest segment, whose answer it may still have open; none after a failure or an interruption.</summary>
    public BlobSchedule? Blob { get; set; }

    /// <summary>When it took its segment.</summary>
    public long ClaimedAt { get; set; }

    /// <summary>When it last reported bytes, or began to read.</summary>
    public long ReportedAt { get; set; }

    /// <summary>Bytes a millisecond while it reads; 0 where nothing was read yet.</summary>
    public double Rate { get; private set; }

    /// <summary>It takes nothing before this moment.</summary>
    public long NotBefore { get; set; }

    /// <summary>The bytes of its segment that it has brought itself.</summary>
    public long Gained { get; set; }

    /// <summary>Refusals in a row.</summary>
    public int Refusals { get; set; }

    /// <summary>The server refuses it for as long as there are others.</summary>
    public bool MustLeave { get; set; }

    /// <summary>Whether a bandwidth limit holds it, so that its silence means little.</summary>
    public bool IsHeld { get; init; }

    public bool IsReceiving => Phase is LanePhase.Receiving or LanePhase.WaitingForRoom;

    /// <summary>Whether its rate means something by now.</summary>
    public bool IsSettled(long now) => Rate > 0 && now - _begunAt > Settling;

    /// <summary>What it reads is of no use any more: its answer is given up.</summary>
    public void Interrupt()
    {
        Blob = null;
        interrupt();
    }

    /// <summary>It fetches a segment from now on.</summary>
    public void Take(Segment segment, long now)
    {
        segment.Lanes.Add(this);
        Segment = segment;
        Blob = segment.Blob;
        Phase = LanePhase.Opening;
        ClaimedAt = now;
        Gained = 0;
    }

    /// <summary>A new connection has a rate of its own.</summary>
    public void BeginReading(long now)
    {
        Phase = LanePhase.Receiving;
        ReportedAt = now;
        Rate = 0;
        _begunAt = now;
        _unrated = 0;
    }

    /// <summary>Goes on after a wait, if there was one: that says nothing of the connection.</summary>
    public void Resume(long now)
    {
        ReportedAt = Phase == LanePhase.Receiving ? ReportedAt : now;
        Phase = LanePhase.Receiving;
    }

    public void Report(long bytes, long now)
    {
        _unrated += bytes;
        double elapsed = now - ReportedAt;
        if (elapsed < Shortest)
        {
            // What the system had in store says nothing of the connection; it counts with what comes next.
            return;
        }

        double rate = _unrated / elapsed;
        Rate = Rate == 0 ? rate : Rate + ((rate - Rate) * (1 - Math.Exp(-elapsed / Memory)));
        ReportedAt = now;
        _unrated = 0;
    }
}
