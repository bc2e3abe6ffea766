using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>The rules of Windows, which hold for every part of a path there.</summary>
public sealed class WindowsNameTests
{
    [Theory]
    [InlineData("nul")]
    [InlineData("NUL.txt")]
    [InlineData("con")]
    [InlineData("Aux.7b.gguf")]
    [InlineData("prn")]
    [InlineData("com1")]
    [InlineData("LPT9")]
    [InlineData("com0")]
    [InlineData("com².x")]
    [InlineData("conin$")]
    [InlineData("nul .x")]
    [InlineData("v1.")]
    [InlineData("v1 ")]
    [InlineData("host:5000")]
    public void What_Windows_cannot_hold_is_a_problem(string part) => Assert.NotNull(WindowsName.ProblemOf(part));

    [Theory]
    [InlineData("gemma4")]
    [InlineData("null")]
    [InlineData("console")]
    [InlineData("com")]
    [InlineData("com10")]
    [InlineData("lpt")]
    [InlineData("x.nul")]
    [InlineData("my-con")]
    [InlineData("registry.ollama.ai")]
    public void Other_names_are_none(string part) => Assert.Null(WindowsName.ProblemOf(part));

    [Theory]
    [InlineData("nul")]
    [InlineData("aux/gemma4")]
    [InlineData("gemma4:com1")]
    [InlineData("gemma4:v1.")]
    [InlineData("hf.co./me/gemma4:q4")]
    [InlineData("localhost:5000/library/gemma4")]
    public void A_name_that_has_one_in_any_part_is_refused_there_and_nowhere_else(string text)
    {
        ModelName name = ModelName.Parse(text);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => StoreNames.RequireHoldable(name, PartsOf(name), isWindows: true));
        Assert.Equal((ModelFault.InvalidModelName, name.Shortest), (fault.Fault, fault.Facts.Name));
        StoreNames.RequireHoldable(name, PartsOf(name), isWindows: false);
    }

    [Fact]
    public void Any_other_name_is_not()
    {
        ModelName name = ModelName.Parse("hf.co/bartowski/Llama-3.2-1B:Q4_K_M");
        StoreNames.RequireHoldable(name, PartsOf(name), isWindows: true);
    }

    [Theory]
    [InlineData("demo", "Demo")]
    [InlineData("Q4_K_M", "q4_k_m")]
    public void A_name_in_other_letters_is_found(string part, string other) =>
        Assert.Equal(other, WindowsName.OtherCase(part, ["x", other, "y"]));

    [Theory]
    [InlineData("demo", new[] { "Demo", "demo" })]
    [InlineData("demo", new[] { "demo2" })]
    [InlineData("demo", new string[0])]
    public void The_very_name_and_other_names_are_not(string part, string[] entries) => Assert.Null(WindowsName.OtherCase(part, entries));

    [Fact]
    public void Where_case_is_told_apart_both_may_be_there_and_elsewhere_one()
    {
        using TemporaryFolder folder = new();
        string library = Path.Combine(folder.Path, "registry.ollama.ai", "library");
        Directory.CreateDirectory(Path.Combine(library, "Demo"));
        if (Directory.Exists(Path.Combine(library, "demo")))
        {
            ModelFaultException fault = Assert.Throws<ModelFaultException>(() => RequireOneSpelling(folder.Path, "demo"));
            Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
            RequireOneSpelling(folder.Path, "Demo");
        }
        else
        {
            RequireOneSpelling(folder.Path, "demo");
            Directory.CreateDirectory(Path.Combine(library, "demo"));
            RequireOneSpelling(folder.Path, "demo");
        }

        RequireOneSpelling(Path.Combine(folder.Path, "none"), "demo");
    }

    private static string[] PartsOf(ModelName name) => ManifestTree.OfManifests("store").PartsOf(name);

    private static void RequireOneSpelling(string folder, string model)
    {
        ModelName name = ModelName.Parse(model);
        StoreNames.RequireOneSpelling(name, folder, PartsOf(name));
    }
}
