using System.Management.Automation;
using PSModel.Output;

namespace PSModel.Commands;

/// <summary>Takes a manifest that came back from a file, a job or another machine, as the very manifest that it was.</summary>
internal sealed class ManifestOfObjectAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        inputData is PSObject { BaseObject: PSCustomObject } item ? OutputFactory.TryReadManifest(item) ?? inputData : inputData;
}
