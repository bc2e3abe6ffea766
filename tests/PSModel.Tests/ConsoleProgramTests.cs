using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The console program, as the README starts it.</summary>
public sealed class ConsoleProgramTests
{
    private const string StoreSentence = "The store is at ";

    [Fact]
    public async Task The_demo_saves_tests_and_shows_a_model()
    {
        using ChildProcess demo = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram, "demo"]);
        Assert.True(await demo.WaitAsync() == 0, demo.Output + demo.Error);

        Assert.Contains("Bringing PowerShell up", demo.Output, StringComparison.Ordinal);
        Assert.Contains("Downloaded", demo.Output, StringComparison.Ordinal);
        Assert.Contains("Valid", demo.Output, StringComparison.Ordinal);
        string store = StoreOf(demo.Output);
        Assert.Equal(5, Directory.GetFiles(Path.Combine(store, "blobs")).Length);
        Assert.DoesNotContain(demo.Output.Split('\n').Where(line => !line.StartsWith("PS> ", StringComparison.Ordinal)), line => line.Length > 120);
        Directory.Delete(store, recursive: true);
    }

    [NeedsFact("tmux")]
    public async Task On_a_terminal_it_shows_the_progress_bar_of_PowerShell()
    {
        await using Terminal terminal = await Terminal.StartAsync($"dotnet '{Checkout.ConsoleProgram}' demo");
        await terminal.SeeAsync(" MB of 256 MB, ");
        Directory.Delete(StoreOf(await terminal.SeeAsync(StoreSentence)), recursive: true);
    }

    [Theory]
    [InlineData("Get-ModelManifest", "-Name", "demo")]
    [InlineData("demo", "--quick")]
    [InlineData("registry", "--bogus")]
    [InlineData("registry", "4")]
    [InlineData("registry", "--size")]
    [InlineData("registry", "--size", "many")]
    [InlineData("registry", "--size", "0")]
    [InlineData("registry", "--port", "70000")]
    public async Task What_it_does_not_know_is_an_error_that_says_what_it_knows(params string[] arguments)
    {
        using ChildProcess process = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram, .. arguments]);
        Assert.Equal(2, await process.WaitAsync());
        Assert.Contains("psmodel demo", process.Error, StringComparison.Ordinal);
        Assert.Empty(process.Output);
    }

    [Fact]
    public async Task Without_arguments_it_says_what_it_is_for()
    {
        using ChildProcess process = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram]);
        Assert.Equal(0, await process.WaitAsync());
        Assert.Contains("psmodel demo", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_registry_says_a_name_that_can_be_saved_at_once()
    {
        using ChildProcess registry = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram, "registry", "--size", "1"]);
        await registry.WaitForAsync("library/demo:latest");
        string name = registry.Output.Split('\n')[0].Trim();
        using EngineSession engine = new();
        Assert.Single(engine.Run("param($name) Get-ModelManifest $name", name).Output);
    }

    private static string StoreOf(string output) =>
        output.Split('\n').Single(line => line.StartsWith(StoreSentence, StringComparison.Ordinal))[StoreSentence.Length..].Trim();
}
