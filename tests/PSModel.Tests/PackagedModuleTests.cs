using System.Xml.Linq;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The module as it is shipped, in a process of its own.</summary>
public sealed class PackagedModuleTests : IDisposable
{
    private readonly EngineSession _engine = new();

    public static TheoryData<string> Commands => [.. ModuleCommands.All];

    [Fact]
    public async Task It_is_imported_and_exports_its_commands_alone()
    {
        using ChildProcess process = ChildProcess.StartScript(
            $"Remove-Module PSModel; Import-Module '{Checkout.StagedModule}'; (Get-Module PSModel).ExportedCommands.Keys; (Get-Module PSModel).ModuleBase");
        Assert.Equal(0, await process.WaitAsync());
        string[] lines = process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(ModuleCommands.All, lines[..^1].Order());
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

    /// <summary>The widths of each view's columns, with a space between two. The last one may take what is left, twenty at least.</summary>
    [Fact]
    public void Every_table_fits_eighty_columns()
    {
        const int Rest = 200;
        XDocument views = XDocument.Load(Path.Combine(Path.GetDirectoryName(Checkout.StagedModule)!, "bin", "PSModel.Format.ps1xml"));
        foreach (XElement headers in views.Descendants("TableHeaders"))
        {
            int[] widths = [.. headers.Descendants("Width").Select(width => int.Parse(width.Value, System.Globalization.CultureInfo.InvariantCulture))];
            Assert.Equal(headers.Elements().Count(), widths.Length);
            Assert.InRange(widths[..^1].Sum() + widths.Length - 1 + (widths[^1] == Rest ? 20 : widths[^1]), 1, 80);
        }
    }

    /// <summary>Without a view PowerShell makes a table of up to four properties, each as broad as its longest value.</summary>
    [Fact]
    public void Every_object_has_a_view_also_when_it_came_from_elsewhere()
    {
        XDocument views = XDocument.Load(Path.Combine(Path.GetDirectoryName(Checkout.StagedModule)!, "bin", "PSModel.Format.ps1xml"));
        string[] types = [.. _engine.Texts("[PSModel.ModelManifest].Assembly.GetExportedTypes() | Where-Object { $_.Namespace -eq 'PSModel' -and $_.IsSealed -and -not $_.IsEnum -and $_ -ne [PSModel.ModelException] -and $_.Name -ne 'ModuleInitializer' } | ForEach-Object FullName")];
        Assert.Contains("PSModel.ModelPin", types);
        Assert.Equal(
            types.SelectMany(type => new[] { type, $"Deserialized.{type}" }).Order(StringComparer.Ordinal),
            views.Descendants("TypeName").Select(name => name.Value).Order(StringComparer.Ordinal));
    }

    /// <summary>As PowerShell itself lays it out.</summary>
    [Theory]
    [InlineData(80, 24)]
    [InlineData(120, 64)]
    [InlineData(200, 144)]
    public async Task A_table_uses_the_width_that_there_is(int width, int name)
    {
        const string Blob = "[System.Management.Automation.PSSerializer]::Deserialize('<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\"><TN RefId=\"0\"><T>Deserialized.PSModel.ModelBlobDigest</T></TN><MS><S N=\"Name\">NAME</S><S N=\"Digest\">sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef</S><I64 N=\"Size\">1073741823</I64><S N=\"Status\">DigestMismatch</S><S N=\"Verification\">ReadBack</S><Db N=\"BytesPerSecond\">1048000</Db></MS></Obj></Objs>')";
        string script = $"{Blob.Replace("NAME", "short", StringComparison.Ordinal)}, {Blob.Replace("NAME", new string('n', name), StringComparison.Ordinal)} | Out-String -Width {width}";
        using ChildProcess process = ChildProcess.StartScript(script, ("NO_COLOR", "1"));
        Assert.True(await process.WaitAsync() == 0, process.Error);
        string line = process.Output.Split('\n').Single(text => text.Contains("nn", StringComparison.Ordinal)).TrimEnd();
        Assert.Equal(["0123456789ab", "1.00", "GB", "DigestMismatch", "ReadBack", "1.00", "MB/s", new string('n', name)], line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose() => _engine.Dispose();
}
