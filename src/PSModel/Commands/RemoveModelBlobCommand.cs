using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;
using PSModel.Core.Store;
using PSModel.Pipeline;

namespace PSModel.Commands;

/// <summary>Remove-ModelBlob: removes models, blobs that no manifest names, and unfinished work from the store.</summary>
[Cmdlet(VerbsCommon.Remove, "ModelBlob", DefaultParameterSetName = NameSet, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, HelpUri = HelpAddress.Module)]
[OutputType(typeof(RemovedModelFile))]
public sealed class RemoveModelBlobCommand : StoreCommand
{
    private const string NameSet = "Name";
    private const string UnusedSet = "Unused";
    private const string PartialSet = "Partial";

    private ModelRemover? _remover;
    private RemovalObserver? _observer;

    /// <summary>The models; wildcards are allowed.</summary>
    [Parameter(ParameterSetName = NameSet, Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Model")]
    [SupportsWildcards]
    [NameOfModel]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Remove the blobs that no manifest names.</summary>
    [Parameter(ParameterSetName = UnusedSet, Mandatory = true)]
    public SwitchParameter Unused { get; set; }

    /// <summary>Remove unfinished work.</summary>
    [Parameter(ParameterSetName = UnusedSet)]
    [Parameter(ParameterSetName = PartialSet, Mandatory = true)]
    public SwitchParameter Partial { get; set; }

    /// <summary>The store.</summary>
    [Parameter(ParameterSetName = NameSet, Position = 1)]
    [Parameter(ParameterSetName = UnusedSet)]
    [Parameter(ParameterSetName = PartialSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? StorePath { get; set; }

    /// <summary>Remove also unused blobs that were written within the last hour.</summary>
    [Parameter(ParameterSetName = UnusedSet)]
    public SwitchParameter Force { get; set; }

    /// <summary>Give an object for each file that was removed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == NameSet)
        {
            foreach (string name in Name)
            {
                RemoveModels(name);
            }

            return;
        }

        string root = OpenStore(StorePath).Root;
        if (Unused)
        {
            Remove(root, (remover, token) => remover.RemoveUnused(Force, token));
        }

        if (Partial)
        {
            Remove(root, (remover, token) => remover.RemovePartial(token));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_remover is not null)
        {
            Remove(OpenStore(StorePath).Root, (remover, token) => remover.Finish(token));
        }

        ShowForecast(IsDryRun ? _observer?.Forecast.Sum() : null);
    }

    private void RemoveModels(string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            Remove(OutsideText.Typed(name), (remover, token) => RemoveModel(remover, ModelName.Parse(name), token));
            return;
        }

        ModelStore store = OpenStore(StorePath);
        foreach (ModelName found in FindLike(name, store.Root, store.Manifests.FindNames))
        {
            Remove(found.Shortest, (remover, token) => RemoveModel(remover, found, token));
        }
    }

    private void RemoveModel(ModelRemover remover, ModelName name, CancellationToken token)
    {
        remover.RemoveModel(name, token);
        if (MyInvocation.BoundParameters.ContainsKey("Confirm"))
        {
            // Whoever is asked may stop at the next question, and what was agreed to is done.
            remover.Finish(token);
        }
    }

    private void Remove(string target, Action<ModelRemover, CancellationToken> remove)
    {
        RemovalObserver observer = _observer ??= new RemovalObserver(this, PassThru);
        ModelRemover remover = _remover ??= new ModelRemover(OpenStore(StorePath), observer, IsDryRun);
        Run(target, (pump, token) =>
        {
            observer.Begin(pump);
            remove(remover, token);
            return Task.CompletedTask;
        });
    }
}
