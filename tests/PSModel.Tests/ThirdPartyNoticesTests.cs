using System.Text.RegularExpressions;

namespace PSModel.Tests;

/// <summary>The notices in the package, against the packages that the build was restored with.</summary>
public sealed partial class ThirdPartyNoticesTests : IClassFixture<ModulePackage>
{
    // The title under which the text of a licence begins.
    private static readonly Dictionary<string, string> Titles = new() { ["MIT"] = "MIT License", ["BSD-3-Clause"] = "BSD 3-Clause License" };

    private readonly ModulePackage _package;
    private readonly string _notices;
    private readonly RestoredPackage[] _shipped;

    public ThirdPartyNoticesTests(ModulePackage package)
    {
        _package = package;
        _notices = package.Read("THIRD-PARTY-NOTICES.txt");
        string[] names = [.. package.Files.Select(file => Path.GetFileName(file))];
        _shipped =
        [
            .. RestoredPackage.Of("PSModel")
                .Concat(RestoredPackage.Of("PSModel.LoadContext"))
                .Where(one => one.Assemblies.Any(path => names.Contains(Path.GetFileName(path)))),
        ];
    }

    [Fact]
    public void Every_assembly_of_others_is_that_of_a_restored_package()
    {
        Dictionary<string, string> known = _shipped.SelectMany(one => one.Assemblies).ToDictionary(
            path => $"bin/{(path.Contains("/netstandard2.0/", StringComparison.Ordinal) ? "netstandard2.0" : "net8.0")}/{Path.GetFileName(path)}");
        IEnumerable<string> others = _package.Files.Where(file =>
            Path.GetExtension(file) == ".dll" && !Path.GetFileName(file).StartsWith("PSModel", StringComparison.Ordinal));
        Assert.All(others, file => Assert.Equal(File.ReadAllBytes(known[file]), File.ReadAllBytes(Path.Combine(_package.Installed, file))));
    }

    [Fact]
    public void They_name_what_is_shipped_by_its_version_and_nothing_else()
    {
        string ours = _notices[.._notices.IndexOf("What Microsoft's packages say", StringComparison.Ordinal)];
        Assert.Equal(
            _shipped.Select(one => $"{one.Id} {one.Version}").Distinct().Order(),
            NameAndVersion().Matches(ours).Select(match => match.Value).Order());
    }

    [Fact]
    public void They_hold_each_copyright_and_the_text_of_each_licence()
    {
        foreach (RestoredPackage one in _shipped)
        {
            string since = _notices[_notices.IndexOf($"\n{one.Id} {one.Version}", StringComparison.Ordinal)..];
            int copyright = since.IndexOf(one.Copyright, StringComparison.Ordinal);
            Assert.True(copyright > 0, $"{one.Id}: {one.Copyright}");
            Assert.Contains(Titles[one.Licence], since[copyright..].Split('=', StringSplitOptions.RemoveEmptyEntries)[1], StringComparison.Ordinal);
            Assert.Contains(one.LicenceText ?? Titles[one.Licence], since, StringComparison.Ordinal);
        }
    }

    /// <summary>Those of the present .NET, that is: older packages carry older editions of the same text.</summary>
    [Fact]
    public void They_hold_what_the_packages_say_of_the_code_within_them()
    {
        RestoredPackage hashing = _shipped.First(one => one.Id == "System.IO.Hashing");
        string[] texts = [.. _shipped.Where(one => one.Version == hashing.Version).Select(one => one.Notices!).Distinct()];
        Assert.Contains(Assert.Single(texts), _notices, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^[A-Z][A-Za-z.]+ \d+\.\d+\.\d+", RegexOptions.Multiline)]
    private static partial Regex NameAndVersion();
}
