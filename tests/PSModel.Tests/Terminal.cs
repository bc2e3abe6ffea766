using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A terminal of <c>tmux</c> with a command in it, gone with the test.</summary>
internal sealed class Terminal : IAsyncDisposable
{
    private readonly string _name;

    private Terminal(string name) => _name = name;

    /// <summary>Starts a command of the shell in a terminal of 120 columns.</summary>
    public static async Task<Terminal> StartAsync(string command)
    {
        string name = $"psmodel-{Guid.NewGuid():N}";
        await ChildProcess.RunAsync("tmux", "-L", name, "new-session", "-d", "-x", "120", "-y", "50", $"{command}; sleep 1000");
        return new Terminal(name);
    }

    /// <summary>Presses a key, by the name that <c>tmux</c> has for it.</summary>
    public Task PressAsync(string key) => ChildProcess.RunAsync("tmux", "-L", _name, "send-keys", key);

    /// <summary>Looks at it until it shows a text.</summary>
    /// <returns>All that it shows then.</returns>
    public async Task<string> SeeAsync(string text)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(2));
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            using ChildProcess capture = ChildProcess.Start("tmux", ["-L", _name, "capture-pane", "-p"]);
            await capture.WaitAsync();
            if (capture.Output.Contains(text, StringComparison.Ordinal))
            {
                return capture.Output;
            }
        }
    }

    public async ValueTask DisposeAsync() => await ChildProcess.RunAsync("tmux", "-L", _name, "kill-server");
}
