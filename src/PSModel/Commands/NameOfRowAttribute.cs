using System.Collections;
using System.Management.Automation;
using PSModel.Output;

namespace PSModel.Commands;

/// <summary>
/// Takes the Name, or else the Model, of a row, as Import-Csv gives one, and of the module's objects that are about a whole model.
/// Of other objects no name is made: the text that PowerShell would make of a file, a blob or a manifest can be the name of a model,
/// and is never the one that is meant. Objects of progress name nothing.
/// </summary>
internal sealed class NameOfRowAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentTransformationMetadataException">The object is for another parameter; with this reason the engine
    /// looks for one.</exception>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        // That nothing is no name is for the parameter to say.
        if (inputData is null)
        {
            return null!;
        }

        PSObject item = PSObject.AsPSObject(inputData);
        return item.BaseObject is string or ValueType or IEnumerable ? inputData
            : OutputFactory.IsOf<ModelBlobProgress>(item) ? Array.Empty<string>()
            : (IsOfModel(item) || (item.BaseObject is PSCustomObject && !SaysMore(item))) && (TextOf(item, "Name") ?? TextOf(item, "Model")) is { } name ? name
            : throw NoName(item);
    }

    private static ArgumentTransformationMetadataException NoName(PSObject item)
    {
        string why = $"An object of type {item.TypeNames[0]} is no model name.";
        return new ArgumentTransformationMetadataException(why, new PSInvalidCastException(why));
    }

    private static bool IsOfModel(PSObject item) => OutputFactory.IsOf<ModelTag>(item) || OutputFactory.IsOf<ModelPin>(item) || OutputFactory.IsOf<ModelSaveResult>(item);

    /// <summary>A blob's path and a manifest's text say more than the name.</summary>
    private static bool SaysMore(PSObject row) =>
        row.Properties["PSPath"] is not null || row.Properties["LiteralPath"] is not null || row.Properties["FullName"] is not null || OutputFactory.TryReadManifest(row) is not null;

    private static string? TextOf(PSObject row, string property) => OutputFactory.TextOf(row, property);
}
