using System.Management.Automation;

namespace PSModel.Completion;

/// <summary>The location and the drives of the session on this thread.</summary>
internal static class SessionPaths
{
    /// <summary>Asks the engine: a completer is handed no session, and the runspace's own is closed to it while a pipeline
    /// runs.</summary>
    public static PathIntrinsics Get()
    {
        using PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddScript("$ExecutionContext.SessionState.Path");
        return (PathIntrinsics)shell.Invoke().Single().BaseObject;
    }
}
