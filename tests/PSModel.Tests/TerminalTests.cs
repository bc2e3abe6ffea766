using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Ctrl-C, as it is pressed: the terminal hands it to the console of the system, and that to PowerShell.</summary>
public sealed class TerminalTests : IDisposable
{
    private const long MB = 1_000_000;

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _store = new();

    [NeedsFact("tmux")]
    public async Task Ctrl_C_stops_a_save_and_the_next_one_goes_on()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        await StopAndGoOnAsync(registry, _store.Path, script => $"dotnet '{Pwsh.Program}' -NoProfile -File '{script}'", script => ChildProcess.Start("dotnet", Pwsh.Bare($"& '{script}'")));
    }

    [NeedsWineFact]
    public async Task So_it_does_in_a_console_of_Windows()
    {
        string enter = Path.Combine(Checkout.Root, "tests", "windows", "enter.sh");
        await using LoopbackRegistry registry = LoopbackRegistry.StartWithoutPort();
        await StopAndGoOnAsync(
            registry,
            $"Z:{_store.Path}",
            script => $"cd '{_folder.Path}'; '{enter}' pwsh -NoProfile -ExecutionPolicy Bypass -File '{script}'",
            script => Wine.Start("pwsh", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script));
    }

    public void Dispose()
    {
        _folder.Dispose();
        _store.Dispose();
    }

    private async Task StopAndGoOnAsync(LoopbackRegistry registry, string store, Func<string, string> start, Func<string, ChildProcess> startAgain)
    {
        BlobContent content = BlobContent.Generate(60 * MB, 1);
        string name = registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", content));
        registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                // It has not ended by the time that the key is pressed.
                answer.StallAfter = 20 * MB;
            }
        };
        string script = Path.Combine(_folder.Path, "save.ps1");
        string mark = Path.Combine(_folder.Path, "mark");
        await File.WriteAllTextAsync(script, $$"""
            Import-Module '{{Checkout.StagedModule}}'
            $saved = 'stopped'
            try { $saved = (Save-ModelBlob '{{name}}' '{{store}}' -VerifyInline -ThrottleLimit 1).BytesResumed } finally { [IO.File]::WriteAllText('{{mark}}.new', $saved); [IO.File]::Move('{{mark}}.new', '{{mark}}') }
            """);

        await using (Terminal terminal = await Terminal.StartAsync(start(script)))
        {
            await Until.HoldsAsync(() => Directory.Exists(_store.Work) && Directory.EnumerateFiles(_store.Work, "*.partial").Any(file => new FileInfo(file).Length > 5 * MB));
            await terminal.PressAsync("C-c");
            await Until.HoldsAsync(() => File.Exists(mark));
        }

        Assert.Equal("stopped", await File.ReadAllTextAsync(mark));
        Assert.Single(Directory.GetFiles(_store.Work, "*.checkpoint"));
        File.Delete(mark);
        registry.Fault = null;
        using ChildProcess again = startAgain(script);
        await again.WaitAsync();
        Assert.True(File.Exists(mark), again.Output + again.Error);
        Assert.InRange(long.Parse(await File.ReadAllTextAsync(mark), CultureInfo.InvariantCulture), 5 * MB, 20 * MB);
        Assert.Equal(content.Digest, _store.DigestOf(content.Digest));
    }
}
