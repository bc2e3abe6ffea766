using System.Collections.Concurrent;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Transfer;

/// <summary>Looks up the manifests of models, several at a time, while the blobs of those before are fetched.</summary>
internal sealed class ManifestQueue : IDisposable
{
    /// <summary>Manifests that are looked up, or wait for their turn: they can be large, and tags move.</summary>
    private const int Ahead = 4;

    private readonly BlockingCollection<Task<ModelPlan?>> _found = new(Ahead);
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
        foreach (Task<ModelPlan?> look in _found.GetConsumingEnumerable(_stop.Token))
        {
            if (look.GetAwaiter().GetResult() is { } model)
            {
                yield return model;
            }
        }

        // What was no fault of a model ends the call.
        _looking.GetAwaiter().GetResult();
    }

    /// <summary>Returns when nothing is looked up any more.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        BlockingWork.Settle(_looking);
        foreach (Task<ModelPlan?> look in _found)
        {
            BlockingWork.Settle(look);
        }

        _found.Dispose();
        _stop.Dispose();
    }

    private void Look(IReadOnlyList<ModelRequest> requests, ISaveObserver observer)
    {
        try
        {
            foreach (ModelRequest request in requests)
            {
                _stop.Token.ThrowIfCancellationRequested();
                Task<ModelPlan?> look = BlockingWork.RunAsync(() => Look(request, observer));
                try
                {
                    _found.Add(look, _stop.Token);
                }
                catch (OperationCanceledException)
                {
                    BlockingWork.Settle(look);
                    throw;
                }
            }
        }
        finally
        {
            _found.CompleteAdding();
        }
    }

    private ModelPlan? Look(ModelRequest request, ISaveObserver observer)
    {
        observer.ModelRequested(request.Target);
        try
        {
            return new ModelPlan(request.Target, request.Find(_stop.Token));
        }
        catch (ModelFaultException fault)
        {
            observer.ModelEnded(request.Target, fault);
            return null;
        }
    }
}
