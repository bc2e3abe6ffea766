namespace PSModel.Cli;

/// <summary>What the program says of itself.</summary>
internal static class Usage
{
    public static int Print()
    {
        Console.WriteLine("""
            psmodel carries the PowerShell engine with the PSModel module imported.

              psmodel Save-ModelBlob -Name gemma4:31b -VerifyInline    runs a command
              psmodel "Get-ModelManifest -Local | Test-ModelBlob"      runs a pipeline
              psmodel "Get-Help Save-ModelBlob -Full"                  shows its help
              psmodel demo                                             shows everything, without a network
              psmodel registry [--size MIB] [--port PORT]              serves a generated model on loopback

            It ends with 0, or with 1 where the command wrote an error.
            """);
        return 0;
    }
}
