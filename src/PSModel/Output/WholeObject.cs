using System.Management.Automation;

namespace PSModel.Output;

/// <summary>
/// Objects whose lists hold objects: remoting and jobs keep one level of an object's properties where its type does not ask for
/// more. A file of types could ask, but not twice in one session, and so the module could not be imported from a second path. For
/// the pipeline thread.
/// </summary>
internal static class WholeObject
{
    private const string Ask = "param($type, $depth) Microsoft.PowerShell.Utility\\Update-TypeData -TypeName $type -SerializationDepth $depth -Force -WhatIf:$false -Confirm:$false";
    private const int Depth = 3;

    /// <summary>Writes an object that other sessions get whole, as far as this session can be asked for that.</summary>
    public static void Write(PSCmdlet cmdlet, object value)
    {
        if (value is ModelManifest or ModelBlobDiagnosis or ModelSaveResult && PSObject.AsPSObject(value).Members["PSStandardMembers"] is null && cmdlet.InvokeCommand.GetCommand("Update-TypeData", CommandTypes.Cmdlet) is not null)
        {
            cmdlet.InvokeCommand.InvokeScript(Ask, value.GetType().FullName, Depth);
        }

        cmdlet.WriteObject(value);
    }
}
