using PSModel.Core.Buffers;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests.Simulation;

/// <summary>
/// Plays the scheduler: lanes, a server, hashes and disks on a virtual clock, all from one seed, with the engine's promises
/// checked at every step. Times are in milliseconds.
/// </summary>
internal sealed class Simulation
{
    /// <summary>From the end of the faults to the end of everything, beside what the slowest part needs.</summary>
    private const long Patience = 200_000;

    private const int Look = 50;

    private const long MostEvents = 2_000_000;

    private readonly int _seed;
    private readonly Random _random;
    private readonly PriorityQueue<Action, (long Time, long Order)> _events = new();
    private readonly List<SimulatedLane> _lanes = [];
    private readonly List<SimulatedSink> _sinks = [];
    private readonly Queue<(long Size, bool IsSmall)> _toCome = new();
    private readonly byte[] _bytes = [];
    private long _order;
    private long _idealTime;

    public Simulation(int seed)
    {
        _seed = seed;
        _random = new Random(seed);
        int lanes = _random.Next(4) == 0 ? 1 : _random.Next(2, 17);
        Options = new ScheduleOptions
        {
            Lanes = lanes,
            Buffers = _random.Next(Math.Max(8, 2 * lanes), 64),
            BufferSize = 256 * 1024,
            Cores = _random.Next(1, 4),
            LargestLoss = _random.Next(4, 40) * 1024L * 1024,
            CheckpointInterval = 2L * 1024 * 1024,
            MaximumRetries = 100,
            RetryInterval = 1000,
            Random = new Random(seed),
        };
        Scheduler = new Scheduler(Options);
        Server = new SimulatedServer(_random);
        int blobs = _random.Next(1, 6);
        for (int i = 0; i < blobs; i++)
        {
            bool isSmall = _random.Next(3) == 0;
            long size = isSmall ? _random.Next(1, 1024 * 1024) : _random.Next(1024 * 1024, (int)Math.Min(16 * 1024 * 1024, 2_000_000 + (Server.Rate * 1000)));
            _toCome.Enqueue((size, isSmall));
        }
    }

    public long Now { get; private set; }

    public ScheduleOptions Options { get; }

    public Scheduler Scheduler { get; }

    public SimulatedServer Server { get; }

    public int Connections => _lanes.Count(lane => lane.IsConnected);

    private bool IsSettled => Scheduler.Limit.Ceiling == Options.Lanes && Scheduler.Rented == 0;

    private bool IsOver => _toCome.Count == 0 && _sinks.TrueForAll(sink => sink.IsWhole || sink.Failure is not null);

    /// <summary>Runs to the end.</summary>
    /// <exception cref="InvalidOperationException">A promise was broken.</exception>
    public void Run()
    {
        At(0, Tick);
        while (!IsOver)
        {
            Require(_events.TryDequeue(out Action? next, out (long Time, long Order) at), "nothing will ever happen again");
            Now = at.Time;
            Require(_order < MostEvents, "events without end");
            Require(Now < Server.FaultsEnd + Patience + _idealTime, "stuck");
            next!();
            WakeLanes();

            // What one lane lets go of wakes those that looked before it.
            WakeLanes();
            Check();
        }

        Drain();
    }

    public void At(long time, Action action) => _events.Enqueue(action, (Math.Max(time, Now), _order++));

    public void Require(bool condition, string what)
    {
        if (!condition)
        {
            string blobs = string.Join("; ", Scheduler.Blobs.Select(blob => $"{blob.State} {blob.Missing} missing, backlog {blob.Backlog}, {blob.Segments.Count} segments"));
            throw new InvalidOperationException($"Seed {_seed}, at {Now} ms: {what}. {Scheduler.Rented} of {Options.Buffers} buffers; {Scheduler.Lanes.Count} lanes of {Scheduler.Limit.Target}; {blobs}.");
        }
    }

    public SharedBuffer Rent() => new(_bytes);

    public void LetGo(SharedBuffer buffer)
    {
        if (buffer.LetGo())
        {
            Scheduler.Returned();
        }
    }

    public void Leave(SimulatedLane lane)
    {
        Scheduler.Exit(lane.Schedule);
        _lanes.Remove(lane);
    }

    public void GiveUp(BlobSchedule blob, Exception error)
    {
        foreach (Chunk chunk in Scheduler.Remove(blob, error))
        {
            LetGo(chunk.Buffer);
        }
    }

    private void Tick()
    {
        Scheduler.Tick(mayGrow: true, isBusy: _random.Next(4) == 0, Now);
        if (_toCome.Count > 0 && Scheduler.WantsBlob)
        {
            AddBlob();
        }

        foreach (BlobSchedule done in Scheduler.Blobs.Where(blob => blob.State != BlobState.Open && blob.Backlog == 0).ToList())
        {
            Scheduler.Remove(done);
        }

        At(Now + Look, Tick);
    }

    private void AddBlob()
    {
        (long size, bool isSmall) = _toCome.Dequeue();
        double rate = Math.Pow(10, 3 + (_random.NextDouble() * 3));
        SimulatedSink sink = new(this, size, rate, _random.Next(0, 500));
        BlobSchedule blob = new(size, [new ByteRange(0, size)], isSmall, hasCheckpoints: !isSmall, sink.Take) { OnFailed = e => sink.Failure = e };
        sink.Blob = blob;
        _sinks.Add(sink);
        _idealTime += (long)(size / Math.Min(rate, 50)) + 1000;
        Scheduler.Add(blob, Now);
    }

    private void WakeLanes()
    {
        while (Scheduler.WantsLane)
        {
            SimulatedLane lane = new(this);
            Scheduler.Enter(lane.Schedule);
            _lanes.Add(lane);
            lane.Ask();
        }

        foreach (SimulatedLane lane in _lanes.ToArray())
        {
            if (lane.IsIdle)
            {
                lane.Ask();
            }
            else if (lane.IsWaitingForRoom)
            {
                lane.AskForRoom();
            }
        }
    }

    /// <summary>Never stuck, bounded, and using what is there: promises 2, 3 and 5.</summary>
    private void Check()
    {
        Require(Scheduler.Rented >= 0 && Scheduler.Rented <= Options.Buffers, "more buffers than there are");
        Require(Scheduler.Lanes.Count <= Options.Lanes, "more lanes than are allowed");
        bool isLaneFree = _lanes.Exists(lane => (lane.IsIdle && lane.Schedule.NotBefore <= Now) || lane.IsWaitingForRoom);
        if (!isLaneFree)
        {
            return;
        }

        foreach (BlobSchedule blob in Scheduler.Blobs.Where(blob => blob.State == BlobState.Open && blob.NotBefore <= Now))
        {
            Require(blob.Head is null || blob.Head.Lanes.Count > 0, "the first missing byte is fetched by nobody, and a lane waits");
            bool isWanting = blob.Unclaimed > 0 && blob.Segments.Count == 0 && blob.Backlog == 0 && Scheduler.Rented < Options.Buffers / 2;
            Require(!isWanting || !_lanes.Exists(lane => lane.IsIdle && lane.Schedule.NotBefore <= Now), "bytes are wanted, room is there, and a lane idles");
        }
    }

    /// <summary>Afterwards everything is given back, and the server is trusted again: promises 3 and 4.</summary>
    private void Drain()
    {
        // Blobs whose retries ran out are the only ones that may have failed, and the server served in the end.
        Require(_sinks.TrueForAll(sink => sink.Failure is null), "a blob failed although the server served it in the end");
        for (long end = Now + Patience; Now < end && !IsSettled && _events.TryDequeue(out Action? next, out (long Time, long Order) at);)
        {
            Now = at.Time;
            next();
            WakeLanes();
        }

        Require(Scheduler.Limit.Ceiling == Options.Lanes, "the server's refusals are never forgotten");
        Require(Scheduler.Rented == 0, "buffers were not given back");
    }
}
