namespace PSModel.Tests;

/// <summary>What the module exports, by the tests' own word.</summary>
internal static class ModuleCommands
{
    /// <summary>The names, in order.</summary>
    public static readonly string[] All = ["Export-ModelPin", "Get-ModelManifest", "Import-ModelPin", "Publish-ModelBlob", "Remove-ModelBlob", "Save-ModelBlob", "Test-ModelBlob"];
}
