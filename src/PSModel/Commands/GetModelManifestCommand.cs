using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Output;

namespace PSModel.Commands;

/// <summary>Get-ModelManifest: reads manifests from a registry or from the store.</summary>
[Cmdlet(VerbsCommon.Get, "ModelManifest")]
[OutputType(typeof(ModelManifest), typeof(string))]
public sealed class GetModelManifestCommand : RegistryCommand
{
    /// <summary>The model names; none at all for every manifest in the store.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Model")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>The store.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? StorePath { get; set; }

    /// <summary>Read the store, not the registry.</summary>
    [Parameter]
    public SwitchParameter Local { get; set; }

    /// <summary>Give the manifest's text.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name ?? ["*"])
        {
            if (Local || Name is null)
            {
                GetLocal(name);
            }
            else
            {
                GetRemote(name);
            }
        }
    }

    private void GetRemote(string name) => Run(OutsideText.Typed(name), (pump, token) =>
    {
        Manifest manifest = Connect().GetManifest(ModelName.Parse(name), token);
        pump.Post(() => Write(manifest));
        return Task.CompletedTask;
    });

    private void GetLocal(string name)
    {
        ModelStore store = OpenStore(StorePath);
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            Try(OutsideText.Typed(name), () => Write(store.Manifests.Read(ModelName.Parse(name), RunnerInCase)));
            return;
        }

        WildcardPattern pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        List<ModelName> names = [];
        Try(store.Root, () => names.AddRange(store.Manifests.FindNames().Where(found => pattern.IsMatch(found.Shortest))));
        foreach (ModelName found in names)
        {
            Try(found.Shortest, () => Write(store.Manifests.Read(found, RunnerInCase)));
        }
    }

    private void Write(Manifest manifest)
    {
        WriteVerbose(OutsideText.OneLine($"The manifest of {manifest.Name.Shortest} was read from {manifest.Source}."));
        if (Raw)
        {
            WriteObject(OutputFactory.RawOf(manifest));
        }
        else
        {
            WholeObject.Write(this, OutputFactory.From(manifest));
        }
    }
}
