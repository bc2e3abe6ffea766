namespace PSModel.Cli;

/// <summary>What the program says of itself.</summary>
internal static class Usage
{
    /// <summary>Says it.</summary>
    /// <returns>The exit code that was given.</returns>
    public static int Print(TextWriter output, int exitCode)
    {
        output.WriteLine("""
            psmodel demo                                    shows the module at work in PowerShell, without a network
            psmodel registry [--size MIB] [--port PORT]     serves generated models on loopback

            The commands themselves are those of the module, in PowerShell. Without one, in the checkout:
              dotnet tool restore
              dotnet pwsh -Command "Import-Module ./PSModel.psd1; Get-Help Save-ModelBlob -Full"
            """);
        return exitCode;
    }
}
