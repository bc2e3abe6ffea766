using System.Management.Automation;

namespace PSModel.Commands;

/// <summary>Takes the Name of a row, as Import-Csv gives one. Binding by property name would do the same to a blob, whose path
/// says more than its model's name: a row with a path is left alone.</summary>
internal sealed class NameOfRowAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is PSObject { BaseObject: PSCustomObject } row && !HasPath(row) && row.Properties["Name"]?.Value is string name ? name : inputData;

    private static bool HasPath(PSObject row) => row.Properties["PSPath"] is not null || row.Properties["LiteralPath"] is not null;
}
