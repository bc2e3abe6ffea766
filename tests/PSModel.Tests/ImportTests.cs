using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A session that imports the module more than once, also from another path.</summary>
public sealed class ImportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task It_can_be_imported_from_a_second_path_and_again()
    {
        string first = Path.GetDirectoryName(Checkout.StagedModule)!;
        string script = $$"""
            $ErrorActionPreference = 'Stop'
            Copy-Item -Recurse '{{first}}' '{{_folder.Path}}/PSModel'
            Import-Module '{{first}}/PSModel.psd1'
            $null = Get-ModelManifest none -Local -StorePath '{{_folder.Path}}' -ErrorAction Ignore
            Import-Module '{{_folder.Path}}/PSModel/PSModel.psd1'
            Import-Module '{{_folder.Path}}/PSModel/PSModel.psd1' -Force
            Import-Module '{{first}}/PSModel.psd1' -Force
            $null = Get-ModelManifest none -Local -StorePath '{{_folder.Path}}' -ErrorAction Ignore
            ([System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -eq PSModel).Count
            @([System.AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'PSModel.Core' }).Count
            """;
        using ChildProcess process = ChildProcess.Start("dotnet", Pwsh.Bare(script));
        await process.WaitAsync();
        Assert.Equal(string.Empty, process.Error);
        Assert.Equal(["1", "1"], process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    public void Dispose() => _folder.Dispose();
}
