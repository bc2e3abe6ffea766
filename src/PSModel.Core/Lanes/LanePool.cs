using PSModel.Core.Registry;

namespace PSModel.Core.Lanes;

/// <summary>The threads of a call's lanes: as many as the schedule wants. Thread-safe.</summary>
internal sealed class LanePool : IDisposable
{
    /// <summary>How often the flow is looked at.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(30);

    /// <summary>The part of all processors' time from which on more lanes must prove that they bring more.</summary>
    private const double Busy = 0.7;

    private readonly object _gate = new();
    private readonly SharedSchedule _schedule;
    private readonly RateLimiter _limiter;
    private readonly CancellationTokenSource _stop;
    private readonly List<Task> _threads = [];

    /// <summary>Starts to watch the schedule; the first lane starts with the first blob.</summary>
    /// <param name="schedule">What the lanes do.</param>
    /// <param name="limiter">Holds all lanes together to a bandwidth.</param>
    /// <param name="stop">Ends all lanes; cancelled by <see cref="Dispose"/> at the latest.</param>
    public LanePool(SharedSchedule schedule, RateLimiter limiter, CancellationTokenSource stop)
    {
        _schedule = schedule;
        _limiter = limiter;
        _stop = stop;
        _threads.Add(BlockingWork.RunAsync(Watch));
    }

    /// <summary>Fetches a blob, after those that were added before.</summary>
    public void Add(BlobFetch blob)
    {
        _schedule.Add(blob);
        StartLanes();
    }

    /// <summary>Ends all lanes, and returns when they have ended.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _schedule.Wake();
        Task[] threads;
        lock (_gate)
        {
            // Nobody enters a schedule that is stopped, so the list is whole.
            threads = [.. _threads];
        }

        foreach (Task thread in threads)
        {
            BlockingWork.Settle(thread);
        }
    }

    private void StartLanes()
    {
        lock (_gate)
        {
            _threads.RemoveAll(thread => thread.IsCompleted);
            while (_schedule.TryEnter(() => new Lane(_schedule, _limiter)) is { } lane)
            {
                try
                {
                    _threads.Add(BlockingWork.RunAsync(() => Run(lane)));
                }
                catch (Exception e) when (e is OutOfMemoryException or ThreadStateException)
                {
                    // The system gives no more threads: those that there are go on.
                    _schedule.Exit(lane);
                    return;
                }
            }
        }
    }

    private void Run(Lane lane)
    {
        try
        {
            lane.Run(_stop.Token);
        }
        finally
        {
            lane.Dispose();
            _schedule.Exit(lane);
        }
    }

    private void Watch()
    {
        ProcessorLoad load = new();
        while (!_stop.Token.WaitHandle.WaitOne(Look))
        {
            bool isUsedUp = _limiter.TakeIsUsedUp();
            _schedule.Tick(mayGrow: !isUsedUp && !_limiter.IsHolding, isBusy: load.Look() > Busy);
            StartLanes();
        }
    }
}
