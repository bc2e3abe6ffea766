namespace PSModel.Commands;

/// <summary>Where <c>Get-Help -Online</c> leads: the module's page in the PowerShell Gallery, the ProjectUri of its manifest.</summary>
internal static class HelpAddress
{
    public const string Module = "https://www.powershellgallery.com/packages/PSModel";
}
