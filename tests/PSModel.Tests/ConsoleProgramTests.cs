using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The console program, as the README starts it.</summary>
public sealed class ConsoleProgramTests
{
    [Fact]
    public async Task The_demo_saves_tests_and_shows_a_model()
    {
        using ChildProcess demo = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram, "demo"]);
        Assert.True(await demo.WaitAsync() == 0, demo.Error);

        Assert.Contains("Downloaded", demo.Output, StringComparison.Ordinal);
        Assert.Contains("Valid", demo.Output, StringComparison.Ordinal);
        Assert.Contains("[####", demo.Error, StringComparison.Ordinal);
        string store = demo.Output.Split('\n').Single(line => line.StartsWith("The store is at ", StringComparison.Ordinal))["The store is at ".Length..];
        Assert.Equal(5, Directory.GetFiles(Path.Combine(store, "blobs")).Length);
        Assert.DoesNotContain(demo.Output.Split('\n').Where(line => !line.StartsWith("PS> ", StringComparison.Ordinal)), line => line.Length > 120);
        Directory.Delete(store, recursive: true);
    }

    [Fact]
    public async Task Words_are_one_command_and_its_errors_are_the_exit_code()
    {
        using ChildProcess process = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram, "Get-ModelManifest", "-Name", "bad name"]);
        Assert.Equal(1, await process.WaitAsync());
        Assert.Contains("'bad name' is not a model name", process.Output + process.Error, StringComparison.Ordinal);
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
}
