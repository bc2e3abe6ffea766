using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What the README shows is what was printed: line by line, but for numbers, digests, paths and progress.</summary>
public sealed partial class ReadmeTests : IAsyncLifetime, IDisposable
{
    private const string Prompt = "PS> ";

    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();

    private static string Readme => File.ReadAllText(Path.Combine(Checkout.Root, "README.md"));

    [Fact]
    public async Task The_demo_prints_what_the_readme_shows_of_it()
    {
        using ChildProcess demo = ChildProcess.Start("dotnet", [Checkout.ConsoleProgram, "demo"]);
        Assert.True(await demo.WaitAsync() == 0, demo.Error);
        Directory.Delete(demo.Output.Split('\n').Single(line => line.StartsWith("The store is at ", StringComparison.Ordinal))["The store is at ".Length..], recursive: true);

        ILookup<string, string> printed = Commands(demo.Output).ToLookup(command => command.Split('\n')[0]);
        string[] shown = [.. Blocks("This is what the demo printed:"), .. Blocks("The demo damages a file")];
        Assert.True(shown.Length >= 6);
        Assert.All(shown, command => Assert.StartsWith(command, Assert.Single(printed[command.Split('\n')[0]]), StringComparison.Ordinal));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_machine_that_reads_wrong_prints_what_the_readme_shows_of_it()
    {
        string store = Path.Combine(_folder.Path, "models");
        string name = _registry.Offer(LoopbackModel.Generate("library/demo", "latest", 64 * 1024 * 1024));
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, store, ("PSMODEL_SHIM_ONLY", "buffered"));
        string[] shown = [.. Blocks("this is what happened:")];
        Assert.Equal(3, shown.Length);
        foreach (string command in CommandLines("this is what happened:"))
        {
            string script = command.Replace("http://127.0.0.1:41745/library/demo:latest", name, StringComparison.Ordinal).Replace("/tmp/models", store, StringComparison.Ordinal);
            using ChildProcess process = ChildProcess.StartScript(script, shim);
            await process.WaitAsync();
            string[] printed = [.. Lines(process.Output + process.Error)];
            string expected = Assert.Single(shown, block => block.Split('\n')[0] == Lines(Prompt + command).Single());
            Assert.All(expected.Split('\n').Skip(1).Where(line => !IsWrapped(line)), line => Assert.Contains(line, printed));
        }
    }

    [Fact]
    public void No_line_of_text_is_longer_than_a_screen_is_wide()
    {
        bool isCode = false;
        foreach (string line in Readme.Split('\n'))
        {
            isCode ^= line.StartsWith("```", StringComparison.Ordinal);
            Assert.True(isCode || line.StartsWith('|') || line.Length <= 125, line);
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    /// <summary>The commands of the block of text that follows a sentence, each with what it printed.</summary>
    private static IEnumerable<string> Blocks(string sentence) => Commands(BlockAfter(sentence));

    private static IEnumerable<string> CommandLines(string sentence) =>
        BlockAfter(sentence).Split('\n').Where(line => line.StartsWith(Prompt, StringComparison.Ordinal)).Select(line => line[Prompt.Length..]);

    private static string BlockAfter(string sentence)
    {
        const string Begin = "```text\n";
        string rest = Readme[Readme.IndexOf(sentence, StringComparison.Ordinal)..];
        string block = rest[(rest.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..];
        return block[..block.IndexOf("\n```", StringComparison.Ordinal)];
    }

    private static IEnumerable<string> Commands(string text)
    {
        List<string> command = [];
        foreach (string line in Lines(text))
        {
            if (line.StartsWith(Prompt, StringComparison.Ordinal) && command.Count > 0)
            {
                yield return string.Join('\n', command);
                command.Clear();
            }

            if (command.Count > 0 || line.StartsWith(Prompt, StringComparison.Ordinal))
            {
                command.Add(line);
            }
        }

        yield return string.Join('\n', command);
    }

    /// <summary>The lines that say something, without what differs from run to run.</summary>
    private static IEnumerable<string> Lines(string text) => text.Split('\n')
        .Where(line => line.Trim().Length > 0 && !ProgressBar().IsMatch(line))
        .Select(line => Spaces().Replace(Numbers().Replace(Sizes().Replace(Paths().Replace(Digests().Replace(line, "DIGEST"), "PATH"), "SIZE"), "N"), " ").Trim());

    /// <summary>Where the path is longer, PowerShell wraps the line elsewhere.</summary>
    private static bool IsWrapped(string line) =>
        line.StartsWith("Path :", StringComparison.Ordinal) || (!line.Contains(" : ", StringComparison.Ordinal) && !line.Contains("DIGEST", StringComparison.Ordinal) && !line.Contains("SIZE", StringComparison.Ordinal))
        || line.Contains("LineRuns at", StringComparison.Ordinal);

    [GeneratedRegex(@"\[[#.]{30}\]")]
    private static partial Regex ProgressBar();

    [GeneratedRegex("(sha256[:-])?([0-9a-f]{64}|(?<![0-9a-f])[0-9a-f]{12}(?= |$))")]
    private static partial Regex Digests();

    [GeneratedRegex("'?/tmp/[^ ']*'?")]
    private static partial Regex Paths();

    [GeneratedRegex(@"[\d.,]+ [KMGT]?B(/s)?")]
    private static partial Regex Sizes();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Numbers();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
