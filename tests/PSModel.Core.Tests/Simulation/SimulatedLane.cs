using PSModel.Core.Buffers;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests.Simulation;

/// <summary>A lane as a state machine: what <see cref="Lanes.Lane"/> does on a thread, on a virtual clock.</summary>
internal sealed class SimulatedLane
{
    private const long Timeout = 30_000;
    private const long LongestFill = 100;

    private readonly Simulation _world;
    private SharedBuffer? _buffer;
    private int _filled;
    private SimulatedAttempt? _attempt;
    private long _position;
    private long _received;

    /// <summary>Events of an attempt that is over are passed over.</summary>
    private int _generation;

    public SimulatedLane(Simulation world)
    {
        _world = world;
        Schedule = new LaneSchedule(Interrupt);
    }

    public LaneSchedule Schedule { get; }

    /// <summary>It asked for work and was told to wait.</summary>
    public bool IsIdle { get; private set; }

    public bool IsWaitingForRoom { get; private set; }

    public bool HasEnded { get; private set; }

    public bool IsConnected => _attempt is not null;

    private bool NeedsBuffer => _buffer is null;

    /// <summary>Asks what to do now.</summary>
    public void Ask()
    {
        LaneOrder order = _world.Scheduler.Next(Schedule, _world.Now);
        IsIdle = order.Kind == LaneOrderKind.Wait;
        switch (order.Kind)
        {
            case LaneOrderKind.Leave:
                HasEnded = true;
                LetGoOfBuffer();
                _world.Leave(this);
                break;
            case LaneOrderKind.Fetch:
                Open();
                break;
        }
    }

    public void AskForRoom()
    {
        IsWaitingForRoom = false;
        Segment segment = Schedule.Segment!;
        switch (_world.Scheduler.Room(Schedule, NeedsBuffer, _world.Now))
        {
            case RoomOrder.Drop:
                Close();
                if (Schedule.Segment == segment)
                {
                    Scheduler.Leave(Schedule);
                }

                Ask();
                break;
            case RoomOrder.Wait:
                IsWaitingForRoom = true;
                LetGoOfBuffer();
                break;
            default:
                _buffer ??= _world.Rent();
                Read();
                break;
        }
    }

    private void Interrupt()
    {
        // Heard after the event that led to it, as a thread would.
        int generation = _generation;
        _world.At(_world.Now, () =>
        {
            if (generation == _generation && _attempt is not null && !IsWaitingForRoom)
            {
                Close();
                Scheduler.Leave(Schedule);
                Ask();
            }
        });
    }

    private void Open()
    {
        _attempt = _world.Server.Ask(_world.Connections - 1, _world.Now);
        _position = Schedule.Segment!.Frontier;
        _received = 0;
        if (_attempt.Latency is not { } latency)
        {
            After(Timeout, () => Fail(isRefusal: false));
        }
        else if (_attempt.IsRefused)
        {
            After(latency, () => Fail(isRefusal: true));
        }
        else
        {
            After(latency, () =>
            {
                _world.Scheduler.Opened(Schedule, _world.Now);
                AskForRoom();
            });
        }
    }

    private void Read()
    {
        SimulatedAttempt attempt = _attempt!;
        int wanted = (int)Math.Min(_world.Options.BufferSize - _filled, Schedule.Segment!.End - _position);
        if (wanted <= 0)
        {
            Close();
            Scheduler.Leave(Schedule);
            Ask();
            return;
        }

        int bytes = (int)Math.Min(wanted, Math.Max(1, attempt.Rate * LongestFill));
        long left = Math.Min(attempt.CutAfter, attempt.StallAfter) - _received;
        bool isLast = bytes >= left;
        bytes = (int)Math.Min(bytes, left);
        After((long)Math.Ceiling(bytes / attempt.Rate), () =>
        {
            Receive(bytes);
            if (!isLast)
            {
                AskForRoom();
            }
            else if (attempt.CutAfter <= attempt.StallAfter)
            {
                Fail(isRefusal: false);
            }
            else
            {
                After(Timeout, () => Fail(isRefusal: false));
            }
        });
    }

    private void Receive(int bytes)
    {
        _world.Scheduler.Received(Schedule, _buffer!, _filled, _position, bytes, _world.Now);
        _filled += bytes;
        _position += bytes;
        _received += bytes;
        if (_filled == _world.Options.BufferSize)
        {
            LetGoOfBuffer();
        }
    }

    private void Fail(bool isRefusal)
    {
        BlobSchedule blob = Schedule.Segment!.Blob;
        FetchFailure failure = new(new IOException("simulated"), IsTransient: true, isRefusal, _attempt!.RetryAfter);
        Close();
        if (_world.Scheduler.Failed(Schedule, failure, _world.Now, out _) is { } final)
        {
            _world.GiveUp(blob, final);
        }

        Ask();
    }

    private void Close()
    {
        _attempt = null;
        _generation++;
        LetGoOfBuffer();
    }

    private void After(long time, Action action)
    {
        int generation = _generation;
        _world.At(_world.Now + time, () =>
        {
            if (generation == _generation)
            {
                action();
            }
        });
    }

    private void LetGoOfBuffer()
    {
        if (_buffer is not null)
        {
            _world.LetGo(_buffer);
        }

        _buffer = null;
        _filled = 0;
    }
}
