using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Sources;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Output;
using PSModel.Pipeline;

namespace PSModel.Commands;

/// <summary>Save-ModelBlob: downloads a model's blobs into the store and then writes its manifest.</summary>
/// <remarks>There is no default parameter set on purpose: with one, the Name of a manifest in the pipeline would bind before
/// the manifest itself.</remarks>
[Cmdlet(VerbsData.Save, "ModelBlob", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low, HelpUri = HelpAddress.Module)]
[OutputType(typeof(ModelBlobDigest), typeof(ModelBlobProgress), typeof(ModelSaveResult))]
public sealed class SaveModelBlobCommand : SourceCommand
{
    private const string NameSet = "Name";
    private const string ManifestSet = "Manifest";

    /// <summary>Disks and shares give no more to many, and disks that turn give less.</summary>
    private const int ReadsOfFolder = 2;

    private readonly HashSet<string> _refusedDigests = [];
    private Dictionary<ModelSource, ModelSaver>? _savers;
    private SaveForecast? _forecast;
    private bool _isInline;

    /// <summary>The model names.</summary>
    [Parameter(ParameterSetName = NameSet, Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Model")]
    [NameOfRow]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>What Get-ModelManifest returned; saved exactly as it was read.</summary>
    [Parameter(ParameterSetName = ManifestSet, Mandatory = true, ValueFromPipeline = true)]
    [ManifestOfObject]
    public ModelManifest? Manifest { get; set; }

    /// <summary>The store.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? StorePath { get; set; }

    /// <summary>Only these blobs of the model; then no manifest is written.</summary>
    [Parameter(ParameterSetName = NameSet, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ManifestSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(BlobDigestCompleter))]
    public string[]? Digest { get; set; }

    /// <summary>The registry that the model came from, as objects of Test-ModelBlob tell it; -Registry goes before it.</summary>
    [Parameter(ParameterSetName = NameSet, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    public string? Origin { get; set; }

    /// <summary>Let blobs of a folder share their bytes with the files there, once these were read and found right.</summary>
    [Parameter]
    public SwitchParameter Link { get; set; }

    /// <summary>Verify inline and do not read back.</summary>
    [Parameter]
    public SwitchParameter VerifyInline { get; set; }

    /// <summary>Fetch also what the store has.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Check what the store has and fetch only the damaged blocks.</summary>
    [Parameter]
    public SwitchParameter Repair { get; set; }

    /// <summary>The most connections at a time; as many are opened as bring more.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 16;

    /// <summary>Bytes a second for the whole call; 0 for no limit.</summary>
    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    public long BandwidthLimit { get; set; }

    /// <summary>Put ModelBlobProgress objects into the pipeline too.</summary>
    [Parameter]
    public SwitchParameter IncludeProgress { get; set; }

    /// <summary>Give one object for each model in place of one for each blob.</summary>
    [Parameter]
    public SwitchParameter Summary { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        _isInline = VerifyInlineChoice.Resolve(MyInvocation.BoundParameters.ContainsKey(nameof(VerifyInline)), VerifyInline, WriteWarning);
        _forecast = IsDryRun ? new SaveForecast(OpenStore(StorePath)) : null;
        Refuse(Link && WantedReference is not null, "-Link is for a folder, and -Source names a place of a registry.", nameof(Link), "Leave out one of them.");
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        List<BlobDigestPart> only = ReadDigests();

        // Where digests were given, and not one of them is valid, nothing is wanted.
        if (Digest is not null && only.Count == 0)
        {
            return;
        }

        bool isManifest = ParameterSetName == ManifestSet;
        string[] names = isManifest ? [Manifest!.Name ?? string.Empty] : Name;
        RequireOneName(names);
        string? origin = isManifest ? Manifest!.Origin : string.IsNullOrEmpty(Origin) ? null : Origin;
        if (TryOpenSource(origin, names.FirstOrDefault() ?? string.Empty) is not { } source)
        {
            return;
        }

        string? runner = WantedRunner;
        List<ModelRequest> requests = isManifest
            ? [new ModelRequest(names[0], _ => Complete(OutputFactory.ToManifest(Manifest!), source))]
            : [.. names.Select(name => new ModelRequest(OutsideText.Typed(name), token => source.GetManifest(ModelName.Parse(name), origin, runner, token)))];
        if (requests.Count > 0)
        {
            Save(source, requests, only);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => ShowForecast(_forecast?.Sum());

    /// <summary>The digests; one that is none is told of once, although each input is asked for it.</summary>
    private List<BlobDigestPart> ReadDigests()
    {
        List<BlobDigestPart> read = [];
        foreach (string digest in (Digest ?? []).Where(digest => !_refusedDigests.Contains(digest)))
        {
            if (!Try(OutsideText.Of(digest), () => read.Add(BlobDigestPart.Parse(digest))))
            {
                _refusedDigests.Add(digest);
            }
        }

        return read;
    }

    /// <summary>Where a folder is the source, the store learns from it where the model came from before.</summary>
    private static Manifest Complete(Manifest manifest, ModelSource source) => source is FolderSource folder ? folder.Complete(manifest) : manifest;

    /// <summary>One for each source, so that connections and the bandwidth limit are shared.</summary>
    private ModelSaver SaverOf(ModelSource source)
    {
        ModelStore store = OpenStore(StorePath);
        Refuse((source as FolderSource)?.IsOf(store) == true, "The source and the store are the same folder.", nameof(Source), "Give another -Source, or another -StorePath.");
        if (!(_savers ??= []).TryGetValue(source, out ModelSaver? saver))
        {
            _savers[source] = saver = new ModelSaver(source, store, new TransferOptions
            {
                IsDryRun = _forecast is not null,
                Connections = source is FolderSource && !MyInvocation.BoundParameters.ContainsKey(nameof(ThrottleLimit)) ? ReadsOfFolder : ThrottleLimit,
                BandwidthLimit = BandwidthLimit,
                ReadBack = !_isInline,
                Force = Force,
                Repair = Repair,
                Link = Link,
            });
        }

        return saver;
    }

    private void Save(ModelSource source, List<ModelRequest> requests, List<BlobDigestPart> only)
    {
        TransferProgress progress = new(this, "Saving", IncludeProgress);
        SaveSummary? summary = Summary && _forecast is null ? new SaveSummary(only) : null;
        ModelSaver saver = SaverOf(source);
        bool isSilent = _forecast is null && Confirmation.IsSilent(this);
        Run(
            requests[0].Target,
            async (pump, token) =>
            {
                SaveObserver observer = new(this, pump, progress, only, _forecast, summary) { IsSilent = isSilent };
                await saver.SaveAsync(requests, only, observer, token).ConfigureAwait(false);
                pump.Post(progress.End);
            },
            progress.Show);
    }
}
