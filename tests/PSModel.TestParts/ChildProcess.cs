using System.Diagnostics;
using System.Text;

namespace PSModel.TestParts;

/// <summary>A process of a test's own, killed with the test, whose output can be waited for.</summary>
public sealed class ChildProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

    private ChildProcess(ProcessStartInfo start)
    {
        // PowerShell writes colours into pipes, too.
        start.Environment.TryAdd("NO_COLOR", "1");
        start.RedirectStandardOutput = start.RedirectStandardError = start.RedirectStandardInput = true;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Note(_output, e.Data);
        _process.ErrorDataReceived += (_, e) => Note(_error, e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <summary>What the process has used of the processor so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public string Output => Read(_output);

    public string Error => Read(_error);

    public static ChildProcess Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(program, arguments);
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(start);
    }

    /// <summary>Runs a script in PowerShell with the module imported, in a process of its own.</summary>
    public static ChildProcess StartScript(string script, params (string Name, string Value)[] environment) =>
        Start("dotnet", Pwsh.WithModule(script), environment);

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with an error.</exception>
    public static async Task RunAsync(string program, params string[] arguments)
    {
        using ChildProcess process = Start(program, arguments);
        if (await process.WaitAsync() != 0)
        {
            throw new InvalidOperationException(process.Error);
        }
    }

    /// <summary>Waits until a text stands in the output.</summary>
    /// <exception cref="TimeoutException">It does not; the message has what does.</exception>
    public async Task WaitForAsync(string text)
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_awaited)
        {
            _awaited.Add((text, seen));
            Check();
        }

        try
        {
            await seen.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"'{text}' did not come; there was: {Output}{Error}");
        }
    }

    /// <summary>Waits for the end, two minutes where nothing else is said.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitAsync(TimeSpan? patience = null)
    {
        await _process.WaitForExitAsync().WaitAsync(patience ?? Patience);
        return _process.ExitCode;
    }

    /// <summary>Kills it as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Note(StringBuilder text, string? line)
    {
        lock (_awaited)
        {
            if (line is not null)
            {
                text.Append(line).Append('\n');
                Check();
            }
        }
    }

    private string Read(StringBuilder text)
    {
        lock (_awaited)
        {
            return text.ToString();
        }
    }

    private void Check()
    {
        foreach ((string text, TaskCompletionSource seen) in _awaited)
        {
            if (_output.ToString().Contains(text, StringComparison.Ordinal) || _error.ToString().Contains(text, StringComparison.Ordinal))
            {
                seen.TrySetResult();
            }
        }
    }
}
