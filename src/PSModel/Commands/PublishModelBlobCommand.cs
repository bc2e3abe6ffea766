using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Publishing;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Pipeline;

namespace PSModel.Commands;

/// <summary>Publish-ModelBlob: pushes models of the store to a registry, or into a folder that is an OCI image layout.</summary>
[Cmdlet(VerbsData.Publish, "ModelBlob", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, HelpUri = HelpAddress.Module)]
[OutputType(typeof(ModelBlobDigest), typeof(ModelBlobProgress))]
public sealed class PublishModelBlobCommand : RegistryCommand
{
    private readonly List<string> _names = [];
    private PublishPlace? _place;

    /// <summary>The models, by their names in the store; each is published once, when all are named.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Model")]
    [NameOfRow]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The store.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? StorePath { get; set; }

    /// <summary>Where to: a place of a registry, <c>host/repository:tag</c>, or a folder, which is made an OCI image layout.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? Destination { get; set; }

    /// <summary>Publish to this registry in place of the name's host.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? Registry { get; set; }

    /// <summary>Only these blobs of the models; then no manifest is written.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(BlobDigestCompleter))]
    public string[]? Digest { get; set; }

    /// <summary>The most blobs at a time.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 4;

    /// <summary>Put ModelBlobProgress objects into the pipeline too.</summary>
    [Parameter]
    public SwitchParameter IncludeProgress { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        Refuse(Destination is not null && Registry is not null, "-Registry and -Destination cannot both be given: a destination names its registry.", nameof(Destination));
        _place = Require(Destination is null ? null : OutsideText.Typed(Destination), () => PublishPlace.Parse(Destination, ToFilePath));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        _names.AddRange(Name.Except(_names, StringComparer.OrdinalIgnoreCase).ToList());
        Refuse(_place!.Reference is not null && _names.Count > 1, $"-Destination is the place of one model there, and the names '{OutsideText.Of(_names.FirstOrDefault())}' and '{OutsideText.Of(_names.LastOrDefault())}' are given for it.", nameof(Destination));
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        List<BlobDigestPart> only = [.. (Digest ?? []).Select(digest => Require(OutsideText.Of(digest), () => BlobDigestPart.Parse(digest)))];
        List<PublishRequest> requests = [.. _names.Select(name => new PublishRequest(OutsideText.Typed(name), name))];
        if (requests.Count == 0)
        {
            return;
        }

        bool isDryRun = IsDryRun;
        ModelStore store = OpenStore(StorePath);
        PublishOptions options = new() { BlobsAtATime = ThrottleLimit, IsDryRun = isDryRun };
        PublishForecast? forecast = isDryRun ? new PublishForecast() : null;
        ModelPublisher publisher = new(store, Open(options), options);
        TransferProgress progress = new(this, "Publishing", IncludeProgress);
        Run(
            requests[0].Target,
            async (pump, token) =>
            {
                await publisher.PublishAsync(requests, only, new PublishObserver(this, pump, progress, only, forecast), token).ConfigureAwait(false);
                pump.Post(progress.End);
            },
            progress.Show);
        ShowForecast(forecast?.Sum());
    }

    /// <inheritdoc/>
    private protected override RegistryOptions AddPlace(RegistryOptions options)
    {
        options.Registries = Registry is null ? [] : [Registry];
        options.Source = _place!.Reference;
        return options;
    }

    private PublishDestination Open(PublishOptions options) => _place!.Folder is { } folder
        ? Require(folder, () => new LayoutDestination(folder, message => CurrentPump?.Post(() => WriteVerbose(OutsideText.OneLine(message)))))
        : new RegistryDestination(Connect(), options);
}
