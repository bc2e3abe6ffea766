using System.Management.Automation;
using PSModel.Output;

namespace PSModel.Commands;

/// <summary>
/// Takes the name of a manifest, also of one that came back from a file or a job, and else what <see cref="NameOfRowAttribute"/>
/// takes. A blob or a file names a model as well, and is refused: it was hardly the whole model that was meant.
/// </summary>
internal sealed class NameOfModelAttribute : ArgumentTransformationAttribute
{
    private static readonly NameOfRowAttribute OfRow = new();

    /// <inheritdoc/>
    /// <exception cref="ArgumentTransformationMetadataException">The object names no model.</exception>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        PSObject? item = inputData is null ? null : PSObject.AsPSObject(inputData);
        bool isModel = item is not null
            && (OutputFactory.IsOf<ModelManifest>(item) || (item.BaseObject is PSCustomObject && OutputFactory.TryReadManifest(item) is not null));
        return isModel ? OutputFactory.TextOf(item!, "Name") ?? string.Empty : OfRow.Transform(engineIntrinsics, inputData!);
    }
}
