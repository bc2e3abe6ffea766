using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace PSModel.Cli;

/// <summary>A PowerShell session with the module imported. For one command at a time.</summary>
internal sealed class Session : IDisposable
{
    private readonly TerminalHost _host = new();
    private readonly Runspace _runspace;

    public Session()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
        }

        _runspace = RunspaceFactory.CreateRunspace(_host, state);
        _runspace.Open();
        using PowerShell shell = PowerShell.Create(_runspace);
        shell.AddCommand("Import-Module").AddParameter("Name", ModulePath).AddParameter("ErrorAction", "Stop").Invoke();
    }

    private static string ModulePath => Path.Combine(AppContext.BaseDirectory, "Modules", "PSModel", "PSModel.psd1");

    /// <summary>Runs a script in a session of its own.</summary>
    /// <returns>The exit code.</returns>
    public static int RunOnce(string script)
    {
        using Session session = new();
        return session.Run(script);
    }

    /// <summary>Runs a script with its output on the terminal; Ctrl-C stops it.</summary>
    /// <returns>0, or 1 where there was an error.</returns>
    public int Run(string script)
    {
        using PowerShell shell = PowerShell.Create(_runspace);
        shell.AddScript(script).AddCommand("Out-Default");
        shell.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        bool isStopped = false;
        void Stop(object? sender, ConsoleCancelEventArgs e)
        {
            e.Cancel = true;
            isStopped = true;
            shell.BeginStop(null, null);
        }

        Console.CancelKeyPress += Stop;
        try
        {
            shell.Invoke();
        }
        catch (PipelineStoppedException)
        {
            // Said below, for a stop may also end the call without an exception.
        }
        catch (RuntimeException e)
        {
            return _host.Fail(e.ErrorRecord.ErrorDetails?.Message ?? e.Message);
        }
        finally
        {
            Console.CancelKeyPress -= Stop;
            _host.Terminal.EndProgress();
        }

        return isStopped ? _host.Fail("Stopped. What has arrived is kept; the same command goes on from there.")
            : shell.HadErrors ? 1
            : 0;
    }

    public void Dispose() => _runspace.Dispose();
}
