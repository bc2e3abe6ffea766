using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace PSModel.Pipeline;

/// <summary>
/// Lets work run off the pipeline thread, and does on that thread what only it may do: write, ask, show progress. Posting is
/// thread-safe; <see cref="Run"/> is for the pipeline thread.
/// </summary>
internal sealed class PipelinePump
{
    /// <summary>How often progress is looked at: often enough to look alive, seldom enough to cost nothing.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    /// <summary>Of results that come in quick succession, the pipeline thread is woken for one in so many milliseconds.</summary>
    private const int Succession = 20;

    private readonly Queue<Action> _actions = new();
    private readonly CancellationTokenSource _stop;
    private int _wokenAt = Environment.TickCount - Succession;
    private bool _isEnded;

    /// <param name="stop">Cancelled when the pipeline ends before the work.</param>
    public PipelinePump(CancellationTokenSource stop) => _stop = stop;

    /// <summary>Asks for something to be done on the pipeline thread, in the order of posting; returns at once.</summary>
    public void Post(Action action) => Post(action, isUrgent: true);

    /// <summary>The same for one of many that may come in quick succession: at the next tick at the latest.</summary>
    public void PostSoon(Action action)
    {
        lock (_actions)
        {
            int now = Environment.TickCount;
            bool isUrgent = unchecked(now - _wokenAt) >= Succession;
            _wokenAt = isUrgent ? now : _wokenAt;
            Post(action, isUrgent);
        }
    }

    /// <summary>The same for what may wait until the pipeline thread wakes anyway, which is at the next tick: nobody is woken for
    /// each of a thousand words that mostly nobody reads.</summary>
    public void PostForNextTick(Action action) => Post(action, isUrgent: false);

    /// <summary>Asks the pipeline thread for an answer; cancelled when the pipeline ends.</summary>
    public Task<T> AskAsync<T>(Func<T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        CancellationTokenRegistration registration = _stop.Token.Register(() => answer.TrySetCanceled());
        Post(() =>
        {
            answer.TrySetResult(question());
            registration.Dispose();
        });
        return answer.Task;
    }

    /// <summary>Runs the work and returns when it has ended and everything it posted is done.</summary>
    /// <param name="work">Started off the pipeline thread.</param>
    /// <param name="onTick">Called a few times a second.</param>
    /// <exception cref="PipelineStoppedException">The work was stopped.</exception>
    public void Run(Func<CancellationToken, Task> work, Action onTick)
    {
        // It waits for the network, so it takes no thread of the pool, which may have as few as one.
        Task running = Task.Factory.StartNew(() => work(_stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        _ = running.ContinueWith(_ => End(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            Pump(onTick);
        }
        catch (Exception e)
        {
            // A downstream command has had enough, or an error was made to stop. The work must let go of its files before
            // that goes on its way, and must not put an exception of its own in its place.
            ExceptionDispatchInfo ending = ExceptionDispatchInfo.Capture(e);
            _stop.Cancel();
            running.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default).Wait();
            ending.Throw();
        }

        try
        {
            running.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    private void Post(Action action, bool isUrgent)
    {
        lock (_actions)
        {
            _actions.Enqueue(action);
            if (isUrgent)
            {
                Monitor.Pulse(_actions);
            }
        }
    }

    private void End()
    {
        lock (_actions)
        {
            _isEnded = true;
            Monitor.Pulse(_actions);
        }
    }

    private void Pump(Action onTick)
    {
        Stopwatch sinceTick = Stopwatch.StartNew();
        while (TryTake(out Action? action))
        {
            action?.Invoke();
            if (sinceTick.Elapsed >= Tick)
            {
                onTick();
                sinceTick.Restart();
            }
        }
    }

    /// <summary>Waits for the next action, for a tick at most; asleep, since the work needs the processor that a wait would
    /// spin on.</summary>
    /// <returns>Whether there may be more.</returns>
    private bool TryTake(out Action? action)
    {
        lock (_actions)
        {
            if (_actions.Count == 0 && !_isEnded)
            {
                Monitor.Wait(_actions, Tick);
            }

            action = _actions.Count > 0 ? _actions.Dequeue() : null;
            return action is not null || !_isEnded;
        }
    }
}
