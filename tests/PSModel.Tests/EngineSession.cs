using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The real engine with the staged module imported, in a runspace of its own.</summary>
public sealed class EngineSession : IDisposable
{
    private readonly Runspace _runspace;

    /// <param name="host">Answers what the session asks; without one, asking is an error.</param>
    public EngineSession(PSHost? host = null)
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            // The policy of the machine is not what is tested.
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
        }

        _runspace = host is null ? RunspaceFactory.CreateRunspace(state) : RunspaceFactory.CreateRunspace(host, state);
        _runspace.Open();
        using PowerShell shell = Shell("param($path) Import-Module $path -ErrorAction Stop");
        shell.AddArgument(Checkout.StagedModule).Invoke();
    }

    /// <summary>A shell with a script in it, to be run and stopped by the test itself.</summary>
    public PowerShell Shell(string script)
    {
        PowerShell shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        return shell;
    }

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">The script; its parameters are <paramref name="arguments"/>, in order.</param>
    /// <param name="arguments">What <c>param(…)</c> or <c>$args</c> gets.</param>
    public EngineResult Run(string script, params object[] arguments)
    {
        using PowerShell shell = Shell(script);
        foreach (object argument in arguments)
        {
            shell.AddArgument(argument);
        }

        Exception? thrown = null;
        Collection<PSObject> output = [];
        try
        {
            output = shell.Invoke();
        }
        catch (RuntimeException e)
        {
            thrown = e;
        }

        return new EngineResult(
            output,
            [.. shell.Streams.Error],
            [.. shell.Streams.Verbose.Select(record => record.Message)],
            [.. shell.Streams.Debug.Select(record => record.Message)],
            [.. shell.Streams.Warning.Select(record => record.Message)],
            [.. shell.Streams.Progress],
            thrown);
    }

    /// <summary>Runs a script that ends without an error, and gives what came out as texts.</summary>
    public IReadOnlyList<string> Texts(string script)
    {
        EngineResult result = Run(script);
        Assert.Empty(result.Errors);
        Assert.Null(result.Thrown);
        return [.. result.Output.Select(item => $"{item}")];
    }

    public void Dispose() => _runspace.Dispose();
}
