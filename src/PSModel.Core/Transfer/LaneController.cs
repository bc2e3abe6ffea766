using System.Diagnostics;
using PSModel.Core.Registry;

namespace PSModel.Core.Transfer;

/// <summary>
/// Runs the lanes of one blob. It begins with one and opens more only while the hash waits for bytes; where more lanes
/// bring no more bytes, as when the processor is the limit, it takes them back.
/// </summary>
internal sealed class LaneController(TransferContext context, ReceiveWindow window, OrderedSink sink, TransferOptions options)
{
    /// <summary>How often the flow is looked at.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>The part of the time that the hash may wait before more lanes are tried.</summary>
    private const double Hungry = 0.25;

    /// <summary>More lanes must bring this much more, or they are not worth their processor time.</summary>
    private const double WorthwhileGain = 1.15;

    /// <summary>Looks after which new lanes that have brought nothing are given up: connections need their time to start.</summary>
    private const int LooksToGiveUp = 10;

    /// <summary>Looks until more lanes are tried again after they brought nothing.</summary>
    private const int LooksToRest = 50;

    private readonly LaneCount _count = new(options);
    private readonly List<Task> _lanes = [];

    /// <summary>Fetches everything that is missing.</summary>
    /// <exception cref="Faults.ModelFaultException">A lane failed for good.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            Task watch = WatchAsync(stop.Token);
            await watch.ConfigureAwait(false);
        }
        finally
        {
            // A lane that is no longer needed may still wait, for an answer or for room.
            stop.Cancel();
            window.Wake();
            await Task.WhenAll(_lanes.Select(Settle)).ConfigureAwait(false);
        }
    }

    private static Task Settle(Task task) =>
        task.ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        LaneTrial trial = new();
        TimeSpan hungryBefore = sink.HungryTime;
        long bytesBefore = context.Meter.BytesReceived;
        Stopwatch clock = Stopwatch.StartNew();
        while (!window.IsComplete)
        {
            Fill(cancellationToken);
            Task look = Task.Delay(Look, cancellationToken);
            Task first = await Task.WhenAny([window.WhenComplete, look, .. _lanes]).ConfigureAwait(false);
            if (first == look)
            {
                cancellationToken.ThrowIfCancellationRequested();
                double elapsed = clock.Elapsed.TotalSeconds;
                bool isHungry = (sink.HungryTime - hungryBefore).TotalSeconds > Hungry * elapsed;
                double rate = (context.Meter.BytesReceived - bytesBefore) / elapsed;
                Adapt(trial, rate, isHungry && window.HasRoom && !context.Limiter.IsHolding);
                hungryBefore = sink.HungryTime;
                bytesBefore = context.Meter.BytesReceived;
                clock.Restart();
            }
            else if (first != window.WhenComplete)
            {
                _lanes.Remove(first);
                await first.ConfigureAwait(false);
            }
        }
    }

    private void Fill(CancellationToken cancellationToken)
    {
        while (_count.TryEnter())
        {
            _lanes.Add(BlockingWork.RunAsync(() => RunLane(cancellationToken)));
        }
    }

    private void RunLane(CancellationToken cancellationToken)
    {
        using Lane lane = new(context, window, _count);
        lane.Run(cancellationToken);
    }

    /// <summary>Doubles the lanes while that helps, and goes back where it does not.</summary>
    private void Adapt(LaneTrial trial, double rate, bool isHungry)
    {
        trial.Note(rate);
        if (!trial.IsRipe)
        {
            return;
        }

        if (trial.LanesBefore > 0 && trial.Rate < trial.RateBefore * WorthwhileGain)
        {
            if (trial.Looks >= LooksToGiveUp)
            {
                _count.Aim(trial.LanesBefore);
                trial.Rest(LooksToRest);
            }
        }
        else if (isHungry && _count.CanGrow)
        {
            trial.Begin(_count.Target);
            _count.Aim(_count.Target * 2);
        }
        else
        {
            trial.Rest(0);
        }
    }
}
