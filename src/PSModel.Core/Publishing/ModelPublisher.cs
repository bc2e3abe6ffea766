using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>Publishes models of a store: what their targets lack of their blobs, several at a time, then each one's manifest. For one call
/// of <see cref="PublishAsync"/> at a time.</summary>
/// <param name="store">The store; it is only read.</param>
/// <param name="destination">Where the models go.</param>
/// <param name="options">How.</param>
public sealed class ModelPublisher(ModelStore store, PublishDestination destination, PublishOptions options)
{
    /// <summary>Publishes models, one after the other. What fails is told to the observer, and the others go on.</summary>
    /// <param name="requests">The models.</param>
    /// <param name="only">Only these blobs of each, and then no manifests; none for whole models.</param>
    /// <param name="observer">Asked before and told after each step.</param>
    /// <param name="cancellationToken">Stops it; what was sent whole stays.</param>
    public Task PublishAsync(IReadOnlyList<PublishRequest> requests, ICollection<BlobDigestPart> only, IPublishObserver observer, CancellationToken cancellationToken) =>
        BlockingWork.RunAsync(() =>
        {
            foreach (PublishRequest request in requests)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Publish(request, only, observer, cancellationToken);
            }
        });

    /// <summary>Whether a fault would be the same for each blob of a model, since it is about where they go: no more of them are tried
    /// then.</summary>
    public static bool IsOfTarget(ModelFaultException fault) =>
        fault.Fault is ModelFault.AuthenticationFailed or ModelFault.RegistryUnreachable or ModelFault.UnencryptedRefused or ModelFault.UntrustedRealm or ModelFault.UntrustedRedirect
            or ModelFault.StoreNotWritable or ModelFault.InsufficientDiskSpace;

    private void Publish(PublishRequest request, ICollection<BlobDigestPart> only, IPublishObserver observer, CancellationToken cancellationToken)
    {
        ModelFaultException? fault = null;
        observer.ModelRequested(request.Target);
        try
        {
            ModelName asked = ModelName.Parse(request.Name);
            Manifest manifest = store.Manifests.Read(asked);
            if (only.Count == 0)
            {
                RequireServed(manifest);
            }

            ModelPublication publication = new(request.Target, store, manifest, destination.Open(manifest, asked), options, observer);
            observer.ModelStarted(request.Target, manifest);
            publication.Run(only, cancellationToken);
        }
        catch (ModelFaultException e)
        {
            fault = e;
        }

        observer.ModelEnded(request.Target, fault);
    }

    /// <summary>Where a later Ollama has added layers to a manifest, and does not have what the registry had served, there is no text to
    /// publish: the layers that it added are manifests of this store.</summary>
    private void RequireServed(Manifest manifest)
    {
        if (ManifestReader.Read(manifest.Name, manifest.Source, manifest.GetBytes()).Anchors.Any())
        {
            throw new ModelFaultException(
                ModelFault.ManifestInvalid,
                $"The manifest of {manifest.Name.Shortest} at '{manifest.Source}' is one that Ollama added layers to, and the text that was served is not among the blobs of the store.",
                new FaultFacts { Name = manifest.Name.Shortest, Path = manifest.Source, Remedy = $"\"{SaveCommand.For(store, manifest)}\" brings it back." });
        }
    }
}
