using System.Xml.Linq;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The module as it is shipped, in a process of its own.</summary>
public sealed class PackagedModuleTests : IDisposable
{
    private static readonly string[] CommandNames = ["Get-ModelManifest", "Save-ModelBlob", "Test-ModelBlob"];

    private readonly EngineSession _engine = new();

    public static TheoryData<string> Commands => [.. CommandNames];

    [Fact]
    public async Task It_is_imported_and_exports_its_commands_alone()
    {
        using ChildProcess process = ChildProcess.StartScript(
            $"Remove-Module PSModel; Import-Module '{Checkout.StagedModule}'; (Get-Module PSModel).ExportedCommands.Keys; (Get-Module PSModel).ModuleBase");
        Assert.Equal(0, await process.WaitAsync());
        string[] lines = process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(CommandNames, lines[..^1].Order());
        Assert.Equal(Path.GetDirectoryName(Checkout.StagedModule), lines[^1]);
    }

    [Fact]
    public async Task It_is_imported_from_the_checkout_as_well()
    {
        using ChildProcess process = ChildProcess.StartScript(
            $"Remove-Module PSModel; Import-Module '{Path.Combine(Checkout.Root, "PSModel.psd1")}'; (Get-Command Save-ModelBlob).Module.ModuleBase");
        Assert.Equal(0, await process.WaitAsync());
        Assert.Equal(Checkout.Root, process.Output.Trim());
    }

    [Fact]
    public void The_stub_of_PowerShell_is_not_shipped()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.GetDirectoryName(Checkout.StagedModule)!, "*", SearchOption.AllDirectories).Select(Path.GetFileName).OfType<string>()];
        Assert.DoesNotContain("System.Management.Automation.dll", files);
        Assert.Contains("PSModel.dll", files);
    }

    [Fact]
    public void The_core_is_kept_apart_and_the_named_types_are_not()
    {
        EngineResult result = _engine.Run("""
            [PSModel.ModelBlobDigest].Assembly.GetName().Name
            [PSModel.ModelException].IsPublic
            $null = Get-ModelManifest -Local -StorePath /nowhere
            $core = [System.AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'PSModel.Core' }
            [System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext($core).Name
            """);
        Assert.Equal(["PSModel", true, "PSModel"], result.Output.Select(item => item.BaseObject));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_a_synopsis_its_parameters_and_examples(string command)
    {
        EngineResult result = _engine.Run(
            "param($name) $help = Get-Help $name -Full; $help.Synopsis; @($help.examples.example).Count; $help.description.Text", command);
        Assert.NotEqual(command, ((string)result.Output[0].BaseObject).Trim().Split(' ')[0]);
        Assert.True((int)result.Output[1].BaseObject >= 4);
        Assert.NotEmpty((string)result.Output[2].BaseObject);

        EngineResult parameters = _engine.Run(
            """
            param($name)
            $common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
            foreach ($parameter in (Get-Command $name).Parameters.Keys) {
                if ($common -notcontains $parameter) {
                    $text = (Get-Help $name -Parameter $parameter).description.Text
                    if (-not $text) { $parameter }
                }
            }
            """,
            command);
        Assert.Empty(parameters.Errors);
        Assert.Empty(parameters.Output);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_a_source_file_and_a_Pester_file(string command)
    {
        Assert.True(File.Exists(Path.Combine(Checkout.Root, "src", "PSModel", "Commands", $"{command.Replace("-", string.Empty, StringComparison.Ordinal)}Command.cs")));
        Assert.True(File.Exists(Path.Combine(Checkout.Root, "tests", $"{command}.Tests.ps1")));
    }

    /// <summary>The widths of each view's columns, with a space between two.</summary>
    [Fact]
    public void Every_table_fits_a_hundred_columns()
    {
        XDocument views = XDocument.Load(Path.Combine(Path.GetDirectoryName(Checkout.StagedModule)!, "bin", "PSModel.Format.ps1xml"));
        foreach (XElement headers in views.Descendants("TableHeaders"))
        {
            int[] widths = [.. headers.Descendants("Width").Select(width => int.Parse(width.Value, System.Globalization.CultureInfo.InvariantCulture))];
            Assert.Equal(headers.Elements().Count(), widths.Length);
            Assert.InRange(widths.Sum() + widths.Length - 1, 1, 100);
        }
    }

    public void Dispose() => _engine.Dispose();
}
