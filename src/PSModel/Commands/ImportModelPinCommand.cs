using System.Management.Automation;
using PSModel.Core.Pins;

namespace PSModel.Commands;

/// <summary>Import-ModelPin: reads a list of pinned models, for Save-ModelBlob.</summary>
[Cmdlet(VerbsData.Import, "ModelPin", HelpUri = HelpAddress.Module)]
[OutputType(typeof(ModelPin))]
public sealed class ImportModelPinCommand : StoreCommand
{
    /// <summary>The lists.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("LiteralPath", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string path in Path)
        {
            Try(path, () =>
            {
                foreach (PinnedModel model in PinList.Read(ToFilePath(path)))
                {
                    WriteObject(new ModelPin { Name = model.Name.ToString(), ManifestDigest = model.Name.Pin?.ToString(), Origin = model.Origin, Runner = model.Runner });
                }
            });
        }
    }
}
