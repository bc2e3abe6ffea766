using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Pins;
using PSModel.Output;

namespace PSModel.Commands;

/// <summary>Export-ModelPin: writes a list of models, each pinned by the digest of its manifest.</summary>
[Cmdlet(VerbsData.Export, "ModelPin", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low, HelpUri = HelpAddress.Module)]
public sealed class ExportModelPinCommand : StoreCommand
{
    /// <summary>Made once the core is known to be there.</summary>
    private List<PinnedModel>? _pins;

    private bool _hasFailed;

    /// <summary>The list.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [Alias("LiteralPath", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = string.Empty;

    /// <summary>What Get-ModelManifest returned.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ManifestOfObject]
    public ModelManifest? Manifest { get; set; }

    /// <summary>Leave a list that is there.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _hasFailed |= !Try(Manifest!.Name, () => (_pins ??= []).Add(OutputFactory.ToPin(Manifest)));

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        string path = Require(Path, () => ToFilePath(Path));
        Refuse(NoClobber && File.Exists(path), $"'{path}' is there, and -NoClobber leaves what is there.", nameof(NoClobber), "Give another -Path, or leave out -NoClobber.");

        // A list that lacks a model would be taken for the whole.
        if (_hasFailed || _pins is null)
        {
            WriteWarning(OutsideText.OneLine($"'{path}' is not written, since {(_hasFailed ? "a model could not be pinned" : "no manifest was piped in")}."));
        }
        else if (ShouldProcess(path, $"Write a list of {_pins.Count} model{(_pins.Count == 1 ? string.Empty : "s")}"))
        {
            Try(path, () => PinList.Write(path, _pins));
        }
    }
}
