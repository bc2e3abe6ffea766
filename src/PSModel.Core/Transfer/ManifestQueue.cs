using System.Collections.Concurrent;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Transfer;

/// <summary>Looks up the manifests of models one after the other, while the blobs of those before are fetched.</summary>
internal sealed class ManifestQueue : IDisposable
{
    /// <summary>Manifests that wait for their turn: they can be large, and tags move.</summary>
    private const int Ahead = 4;

    private readonly BlockingCollection<ModelPlan> _found = new(Ahead);
    private readonly CancellationTokenSource _stop;
    private readonly Task _looking;

    /// <summary>Begins to look.</summary>
    public ManifestQueue(IReadOnlyList<ModelRequest> requests, ISaveObserver observer, CancellationToken cancellationToken)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _looking = BlockingWork.RunAsync(() => Look(requests, observer));
    }

    /// <summary>The models whose manifests were found, in the order of the requests; blocks.</summary>
    public IEnumerable<ModelPlan> Take()
    {
        foreach (ModelPlan model in _found.GetConsumingEnumerable(_stop.Token))
        {
            yield return model;
        }

        // What was no fault of a model ends the call.
        _looking.GetAwaiter().GetResult();
    }

    /// <summary>Returns when nothing is looked up any more.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _looking.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Wait();
        _found.Dispose();
        _stop.Dispose();
    }

    private void Look(IReadOnlyList<ModelRequest> requests, ISaveObserver observer)
    {
        try
        {
            foreach (ModelRequest request in requests)
            {
                observer.ModelRequested(request.Target);
                try
                {
                    _found.Add(new ModelPlan(request.Target, request.Find(_stop.Token)), _stop.Token);
                }
                catch (ModelFaultException fault)
                {
                    observer.ModelEnded(request.Target, fault);
                }
            }
        }
        finally
        {
            _found.CompleteAdding();
        }
    }
}
