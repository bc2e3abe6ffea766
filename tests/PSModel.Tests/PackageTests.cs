using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The package that <c>Install-PSResource</c> takes.</summary>
public sealed partial class PackageTests(ModulePackage package) : IClassFixture<ModulePackage>
{
    // A file more or less is somebody's decision.
    private static readonly string[] Expected =
    [
        "CHANGELOG.md",
        "LICENSE",
        "PSModel.psd1",
        "THIRD-PARTY-NOTICES.txt",
        "bin/PSModel.Format.ps1xml",
        "bin/PSModel.dll",
        "bin/net8.0/BouncyCastle.Cryptography.dll",
        "bin/net8.0/PSModel.Core.dll",
        "bin/net8.0/PSModel.LoadContext.dll",
        "bin/net8.0/Polly.Core.dll",
        "bin/net8.0/System.IO.Hashing.dll",
        "bin/netstandard2.0/BouncyCastle.Cryptography.dll",
        "bin/netstandard2.0/Microsoft.Bcl.AsyncInterfaces.dll",
        "bin/netstandard2.0/Microsoft.Bcl.TimeProvider.dll",
        "bin/netstandard2.0/PSModel.Core.dll",
        "bin/netstandard2.0/Polly.Core.dll",
        "bin/netstandard2.0/System.Buffers.dll",
        "bin/netstandard2.0/System.ComponentModel.Annotations.dll",
        "bin/netstandard2.0/System.IO.Hashing.dll",
        "bin/netstandard2.0/System.IO.Pipelines.dll",
        "bin/netstandard2.0/System.Memory.dll",
        "bin/netstandard2.0/System.Numerics.Vectors.dll",
        "bin/netstandard2.0/System.Runtime.CompilerServices.Unsafe.dll",
        "bin/netstandard2.0/System.Text.Encodings.Web.dll",
        "bin/netstandard2.0/System.Text.Json.dll",
        "bin/netstandard2.0/System.Threading.Tasks.Extensions.dll",
        "en-US/PSModel.dll-Help.xml",
        "en-US/about_PSModel.help.txt",
        "en-US/about_PSModel_Verification.help.txt",
    ];

    [Fact]
    public void It_holds_these_files_and_no_others() => Assert.Equal(Expected, package.Files);

    [Theory]
    [InlineData("net8.0", "PSModel.Core", "PSModel.LoadContext")]
    [InlineData("netstandard2.0", "PSModel.Core")]
    public void Every_assembly_of_an_edition_is_referenced(string edition, params string[] roots)
    {
        AssemblyReferences references = new(Path.Combine(package.Installed, "bin", edition));
        Assert.Equal(references.Names.Order(), references.Reach(roots).Order());
    }

    [Fact]
    public void What_PowerShell_7_does_not_have_is_there()
    {
        AssemblyReferences references = new(Path.Combine(package.Installed, "bin", "net8.0"));
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.DoesNotContain(references.Missing, name => !File.Exists(Path.Combine(runtime, $"{name}.dll")));
    }

    [Fact]
    public void What_Windows_PowerShell_does_not_have_is_there()
    {
        AssemblyReferences references = new(Path.Combine(package.Installed, "bin", "netstandard2.0"));
        string[] framework = ["mscorlib", "netstandard", "System", "System.Core", "System.Numerics"];
        Assert.Subset(framework.ToHashSet(), references.Missing.ToHashSet());
    }

    [Fact]
    public void Its_description_is_that_of_the_manifest()
    {
        using EngineSession engine = new();
        EngineResult result = engine.Run(
            """
            param($path)
            $module = Test-ModuleManifest $path
            $module.Name; $module.Version.ToString(); $module.Author; $module.Description; $module.Copyright; $module.ReleaseNotes
            'PSModule ' + $module.Tags + ' PSIncludes_Cmdlet ' + ($module.ExportedCmdlets.Keys | ForEach-Object { "PSCmdlet_$_ PSCommand_$_" })
            """,
            Path.Combine(package.Installed, "PSModel.psd1"));

        XElement metadata = XDocument.Parse(package.Read("PSModel.nuspec")).Root!.Elements().Single();
        string[] names = ["id", "version", "authors", "description", "copyright", "releaseNotes", "tags"];
        Assert.Equal(result.Output.Select(item => item.ToString()), names.Select(name => Value(metadata, name)));
        Assert.Equal("MIT", Value(metadata, "license"));
        Assert.StartsWith("MIT License", package.Read("LICENSE"), StringComparison.Ordinal);
        Assert.DoesNotContain(metadata.Elements(), element => element.Name.LocalName == "dependencies");
    }

    [Fact]
    public void Its_address_is_one_in_manifest_package_commands_and_help()
    {
        using EngineSession engine = new();
        EngineResult result = engine.Run(
            """
            param($path)
            $module = Test-ModuleManifest $path
            "$($module.ProjectUri)"; "$($module.LicenseUri)"
            (Get-Command -Module PSModel).HelpUri
            Get-Command -Module PSModel | ForEach-Object { ((Get-Help $_.Name).relatedLinks.navigationLink | Where-Object uri).uri }
            """,
            Path.Combine(package.Installed, "PSModel.psd1"));
        string[] addresses = [.. result.Output.Select(item => item.ToString())];
        XElement metadata = XDocument.Parse(package.Read("PSModel.nuspec")).Root!.Elements().Single();
        Assert.Equal($"https://opensource.org/license/{Value(metadata, "license").ToLowerInvariant()}", addresses[1]);
        Assert.Equal("https://www.powershellgallery.com/packages/PSModel", Value(metadata, "projectUrl"));
        int commands = engine.Run("Get-Command -Module PSModel").Output.Count;
        Assert.Equal(Enumerable.Repeat(Value(metadata, "projectUrl"), 1 + (2 * commands)), addresses.Where((_, index) => index != 1));
        Assert.Contains($"<{Value(metadata, "projectUrl")}>", File.ReadAllText(Path.Combine(Checkout.Root, "README.md")), StringComparison.Ordinal);
    }

    /// <summary>In a PowerShell of its own that has this module and no other copy of it.</summary>
    [Fact]
    public async Task It_is_installed_and_saves_a_model()
    {
        using TemporaryFolder folder = new();
        CopyFolder(package.Installed, Path.Combine(folder.Path, "Modules", "PSModel"));
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", 1_000_000));

        using ChildProcess process = ChildProcess.Start(
            "dotnet",
            Pwsh.Bare($$"""
                $null = Get-Command Save-ModelBlob
                (Get-Command -Module PSModel).Name
                (Get-Help Save-ModelBlob).Synopsis
                (Save-ModelBlob {{name}} -StorePath '{{folder.Path}}' -VerifyInline).Status
                [System.AppDomain]::CurrentDomain.GetAssemblies().Location | Where-Object { $_ -like '*PSModel.Core.dll' }
                """),
            ("PSModulePath", Path.Combine(folder.Path, "Modules")));
        Assert.True(await process.WaitAsync() == 0, process.Output + process.Error);
        Assert.Equal(
            [
                .. ModuleCommands.All,
                "Downloads a model into the folder that Ollama reads, and verifies every blob as its bytes arrive.",
                "Downloaded", "Downloaded", "Downloaded", "Downloaded", "Downloaded",
                Path.Combine(folder.Path, "Modules", "PSModel", "bin", "net8.0", "PSModel.Core.dll"),
            ],
            process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Built anew, in a folder of another name, by another user's habits.</summary>
    [NeedsFact("sh")]
    public async Task The_same_sources_give_the_same_bytes()
    {
        using TemporaryFolder copy = new();
        CopyFolder(Checkout.Root, copy.Path, ".git", ".ci", "bin", "obj", "out", "tests");
        using ChildProcess build = ChildProcess.Start(
            "sh",
            ["-c", "umask 077; exec dotnet \"$@\"", "sh", .. Pwsh.Bare($"& '{Path.Combine(copy.Path, "build.ps1")}' -Task Pack")],
            [.. ModulePackage.BuildEnvironment, ("TZ", "Asia/Kathmandu"), ("LANG", "tr_TR.UTF-8"), ("Configuration", Checkout.Configuration)]);
        Assert.True(await build.WaitAsync(TimeSpan.FromMinutes(5)) == 0, build.Output + build.Error);

        string second = Path.Combine(copy.Path, "out", Path.GetFileName(package.Path));
        Assert.Contains($"The package is {second}, {new FileInfo(second).Length} bytes.", build.Output, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllBytesAsync(package.Path), await File.ReadAllBytesAsync(second));
    }

    [Fact]
    public void The_README_states_its_size()
    {
        Match stated = StatedSize().Match(File.ReadAllText(Path.Combine(Checkout.Root, "README.md")));
        double size = double.Parse(stated.Groups[1].Value, CultureInfo.InvariantCulture) * 1e6;
        Assert.InRange(new FileInfo(package.Path).Length, size - 50_000, size + 50_000);
    }

    private static string Value(XElement metadata, string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;

    private static void CopyFolder(string from, string to, params string[] without)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (string folder in Directory.EnumerateDirectories(from).Where(folder => !without.Contains(Path.GetFileName(folder))))
        {
            CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)), without);
        }
    }

    [GeneratedRegex(@"`out/PSModel\.<version>\.nupkg` \((\d\.\d) MB\)")]
    private static partial Regex StatedSize();
}
