using System.IO.Compression;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The package that is made of the build under test, once for all tests of a class.</summary>
public sealed class ModulePackage : IAsyncLifetime, IDisposable
{
    // What the format wants of a package and Install-PSResource leaves behind.
    private static readonly string[] Wrapping = ["_rels/", "package/", "[Content_Types].xml", "PSModel.nuspec"];

    private readonly TemporaryFolder _folder = new();

    /// <summary>Without servers that outlive the build: they would hold its output open.</summary>
    public static (string Name, string Value)[] BuildEnvironment { get; } =
        [("MSBUILDDISABLENODEREUSE", "1"), ("UseSharedCompilation", "false"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("DOTNET_NOLOGO", "1")];

    public string Path { get; private set; } = string.Empty;

    /// <summary>The module as it is installed: a folder with the manifest in it.</summary>
    public string Installed => System.IO.Path.Combine(_folder.Path, "PSModel", Checkout.Version);

    /// <summary>The paths of the module's files in the package, in order.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    public async Task InitializeAsync()
    {
        using ChildProcess pack = ChildProcess.Start(
            "dotnet",
            ["pack", System.IO.Path.Combine(Checkout.Root, "src", "PSModel"), "--no-build", "-c", Checkout.Configuration, "-o", _folder.Path],
            BuildEnvironment);
        Assert.True(await pack.WaitAsync() == 0, pack.Output);
        Path = Assert.Single(Directory.GetFiles(_folder.Path, "*.nupkg"));

        using ZipArchive archive = ZipFile.OpenRead(Path);
        ZipArchiveEntry[] module = [.. archive.Entries.Where(entry => !IsWrapping(entry.FullName))];
        Files = [.. module.Select(entry => entry.FullName).Order(StringComparer.Ordinal)];
        foreach (ZipArchiveEntry entry in module)
        {
            string file = System.IO.Path.Combine(Installed, entry.FullName);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
            entry.ExtractToFile(file);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>The text of a file of the package.</summary>
    public string Read(string name)
    {
        using ZipArchive archive = ZipFile.OpenRead(Path);
        using StreamReader reader = new(archive.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }

    public void Dispose() => _folder.Dispose();

    private static bool IsWrapping(string name) => Array.Exists(Wrapping, part => name.StartsWith(part, StringComparison.Ordinal));
}
