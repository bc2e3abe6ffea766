using System.Collections.Concurrent;
using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace PSModel.Pipeline;

/// <summary>
/// Lets work run off the pipeline thread, and does on that thread what only it may do: write, ask, show progress. Posting is
/// thread-safe; <see cref="Run"/> is for the pipeline thread.
/// </summary>
internal sealed class PipelinePump : IDisposable
{
    /// <summary>How often progress is looked at: often enough to look alive, seldom enough to cost nothing.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private readonly BlockingCollection<Action> _actions = [];
    private readonly CancellationTokenSource _stop;

    /// <param name="stop">Cancelled when the pipeline ends before the work.</param>
    public PipelinePump(CancellationTokenSource stop) => _stop = stop;

    /// <summary>Asks for something to be done on the pipeline thread, in the order of posting; returns at once.</summary>
    public void Post(Action action) => _actions.Add(action);

    /// <summary>Asks the pipeline thread for an answer; cancelled when the pipeline ends.</summary>
    public async Task<T> AskAsync<T>(Func<T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = _stop.Token.Register(() => answer.TrySetCanceled());
        Post(() => answer.TrySetResult(question()));
        return await answer.Task.ConfigureAwait(false);
    }

    /// <summary>Runs the work and returns when it has ended and everything it posted is done.</summary>
    /// <param name="work">Started off the pipeline thread.</param>
    /// <param name="onTick">Called a few times a second.</param>
    /// <exception cref="PipelineStoppedException">The work was stopped.</exception>
    public void Run(Func<CancellationToken, Task> work, Action onTick)
    {
        // It waits for the network, so it takes no thread of the pool, which may have as few as one.
        Task running = Task.Factory.StartNew(() => work(_stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        _ = running.ContinueWith(_ => _actions.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
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

    public void Dispose() => _actions.Dispose();

    private void Pump(Action onTick)
    {
        Stopwatch sinceTick = Stopwatch.StartNew();
        while (!_actions.IsCompleted)
        {
            if (_actions.TryTake(out Action? action, Tick))
            {
                action();
            }

            if (sinceTick.Elapsed >= Tick)
            {
                onTick();
                sinceTick.Restart();
            }
        }
    }
}
