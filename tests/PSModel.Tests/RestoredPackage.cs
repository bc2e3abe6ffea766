using System.Text.Json;
using System.Xml.Linq;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A package that a project of the module was restored with.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Folder">Where it was unpacked.</param>
/// <param name="Assemblies">The paths of the assemblies that it gives at run time.</param>
internal sealed record RestoredPackage(string Id, string Version, string Folder, IReadOnlyList<string> Assemblies)
{
    /// <summary>The licence's SPDX expression.</summary>
    public string Licence => Metadata("license");

    public string Copyright => Metadata("copyright");

    /// <summary>The licence's text, where the package carries it.</summary>
    public string? LicenceText => ReadText("LICENSE*");

    /// <summary>What the package says of the code of others within it.</summary>
    public string? Notices => ReadText("THIRD-PARTY-NOTICES*");

    /// <summary>The packages of a project, by its name.</summary>
    public static IEnumerable<RestoredPackage> Of(string project)
    {
        using JsonDocument assets = JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkout.Root, "src", project, "obj", "project.assets.json")));
        JsonElement root = assets.RootElement;
        string[] stores = [.. root.GetProperty("packageFolders").EnumerateObject().Select(store => store.Name)];
        List<RestoredPackage> packages = [];
        foreach (JsonProperty library in root.GetProperty("targets").EnumerateObject().Single().Value.EnumerateObject())
        {
            if (library.Value.GetProperty("type").GetString() == "package")
            {
                string path = root.GetProperty("libraries").GetProperty(library.Name).GetProperty("path").GetString()!;
                string folder = stores.Select(store => Path.Combine(store, path)).First(Directory.Exists);
                string[] name = library.Name.Split('/');
                packages.Add(new RestoredPackage(name[0], name[1], folder, Assets(library.Value, folder)));
            }
        }

        return packages;
    }

    private static string[] Assets(JsonElement library, string folder) =>
        library.TryGetProperty("runtime", out JsonElement runtime)
            ? [.. runtime.EnumerateObject().Where(asset => Path.GetExtension(asset.Name) == ".dll").Select(asset => Path.Combine(folder, asset.Name))]
            : [];

    private string Metadata(string name) =>
        XDocument.Load(Directory.GetFiles(Folder, "*.nuspec").Single()).Descendants().Single(element => element.Name.LocalName == name).Value;

    private string? ReadText(string pattern) =>
        Directory.GetFiles(Folder, pattern).Select(File.ReadAllText).SingleOrDefault()?.Replace("\r", string.Empty, StringComparison.Ordinal).Trim();
}
