using System.Management.Automation;

namespace PSModel.EmptyModule;

/// <summary>Get-Nothing: what the least binary module has, for the import to be compared with.</summary>
[Cmdlet(VerbsCommon.Get, "Nothing")]
public sealed class GetNothingCommand : Cmdlet;
