using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>Publishes one model. For one run.</summary>
internal sealed class ModelPublication(string name, ModelStore store, Manifest manifest, IPublishTarget target, PublishOptions options, IPublishObserver observer)
{
    private readonly object _asking = new();
    private volatile bool _isHopeless;
    private volatile bool _hasFailed;
    private volatile bool _isDeclined;

    /// <summary>Brings the blobs there, and then the manifest.</summary>
    /// <param name="only">Only these blobs, and then no manifest; none for all.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ModelFaultException">The manifest cannot be written.</exception>
    public void Run(ICollection<BlobDigestPart> only, CancellationToken cancellationToken)
    {
        IReadOnlyList<Layer> layers = manifest.Choose(only, (digest, fault) => observer.BlobFailed(name, manifest, digest, meter: null, fault));
        SendAll(layers, isAgain: false, cancellationToken);

        // With a dry run nothing is there, and it is told all the same what would become of the manifest.
        if (only.Count > 0 || _hasFailed || (_isDeclined && !options.IsDryRun))
        {
            return;
        }

        if (target.HasManifest(manifest, cancellationToken))
        {
            observer.Tell($"{target.Place} has the manifest of {manifest.Name.Shortest} already, {manifest.Digest}.");
            return;
        }

        if (!observer.ConfirmManifestAsync(manifest, target.Place).GetAwaiter().GetResult())
        {
            return;
        }

        PutManifest(layers, cancellationToken);
        observer.Tell($"The manifest of {manifest.Name.Shortest} was published to {target.Place}, {manifest.Digest}.");
    }

    /// <summary>A registry may have lost a blob since it was looked for.</summary>
    private void PutManifest(IReadOnlyList<Layer> layers, CancellationToken cancellationToken)
    {
        if (target.PutManifest(manifest, cancellationToken))
        {
            return;
        }

        observer.Tell($"{target.Place} does not take the manifest, for it lacks a blob that was there; what is missing is sent once more.");
        SendAll(layers, isAgain: true, cancellationToken);
        if (!_hasFailed && !target.PutManifest(manifest, cancellationToken))
        {
            throw new ModelFaultException(
                ModelFault.BlobNotFound,
                $"{target.Place} does not take the manifest of {manifest.Name.Shortest}: it says that it lacks a blob, and when it is asked it has them all.",
                new FaultFacts { Name = manifest.Name.Shortest, Uri = target.Place, Remedy = "Ask whoever runs the registry: what it keeps is not in order." });
        }
    }

    private void SendAll(IReadOnlyList<Layer> layers, bool isAgain, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ConcurrentQueue<Layer> left = new(layers);

        // What a dry run tells is in the manifest's order.
        int lanes = options.IsDryRun ? 1 : Math.Min(options.BlobsAtATime, layers.Count);
        Task[] running = [.. Enumerable.Range(0, lanes).Select(_ => BlockingWork.RunAsync(() => RunLane(left, isAgain, stop)))];
        BlockingWork.Settle(Task.WhenAll(running));
        cancellationToken.ThrowIfCancellationRequested();
        if (running.Select(task => task.Exception?.InnerException).FirstOrDefault(e => e is not null and not OperationCanceledException) is { } failure)
        {
            ExceptionDispatchInfo.Capture(failure).Throw();
        }

        if (!left.IsEmpty)
        {
            observer.Tell($"{left.Count} more blobs of {manifest.Name.Shortest} were not tried.");
        }
    }

    private void RunLane(ConcurrentQueue<Layer> left, bool isAgain, CancellationTokenSource stop)
    {
        try
        {
            while (!_isHopeless && left.TryDequeue(out Layer? layer))
            {
                stop.Token.ThrowIfCancellationRequested();
                Send(layer, isAgain, stop.Token);
            }
        }
        catch
        {
            stop.Cancel();
            throw;
        }
    }

    private void Send(Layer layer, bool isAgain, CancellationToken cancellationToken)
    {
        StoredBlob blob = new(store, manifest, layer);
        TransferMeter meter = new(layer.Size);
        Stopwatch clock = Stopwatch.StartNew();
        try
        {
            BlobPresence presence = target.Look(layer, cancellationToken);
            bool isThere = presence != BlobPresence.Absent;
            if (isThere && isAgain)
            {
                return;
            }

            if (!isThere)
            {
                blob.Require();
                if (!isAgain && !IsAllowed(layer))
                {
                    _isDeclined = true;
                    return;
                }
            }

            observer.BlobStarted(manifest, layer, meter);
            PublishOutcome outcome = PublishOutcome.AlreadyPresent;
            if (isThere)
            {
                meter.BytesResumed = layer.Size;
            }
            else
            {
                outcome = target.Send(blob, meter, cancellationToken);
            }

            meter.Phase = TransferPhase.Completed;
            target.NoteThere(layer.Digest);
            observer.BlobFinished(new PublishedBlob(manifest.Name, layer, blob.Path, outcome, presence == BlobPresence.OfSize, meter, clock.Elapsed));
        }
        catch (ModelFaultException fault)
        {
            _hasFailed = true;
            _isHopeless |= ModelPublisher.IsOfTarget(fault);
            observer.BlobFailed(name, manifest, layer.Digest.ToString(), meter, fault);
        }
    }

    private bool IsAllowed(Layer layer)
    {
        // Whoever is asked is asked one question at a time.
        lock (_asking)
        {
            return observer.ConfirmBlobAsync(manifest, layer).GetAwaiter().GetResult();
        }
    }
}
