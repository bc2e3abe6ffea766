using System.Management.Automation;
using System.Management.Automation.Runspaces;

// The engine with no module imported: runs the script that is its argument, for what has to come before Import-Module.
using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
runspace.Open();
using PowerShell shell = PowerShell.Create(runspace);
foreach (PSObject item in shell.AddScript(args[0]).Invoke())
{
    Console.WriteLine(item);
}

foreach (ErrorRecord error in shell.Streams.Error)
{
    Console.Error.WriteLine(error);
}

return shell.HadErrors ? 1 : 0;
