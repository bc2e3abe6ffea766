using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace PSModel.Help;

/// <summary>What the engine knows of the module's commands: nobody has to write it down a second time.</summary>
internal sealed class CommandFacts : IDisposable
{
    private static readonly HashSet<string> Common = new([.. Cmdlet.CommonParameters, .. Cmdlet.OptionalCommonParameters.Except(["WhatIf", "Confirm"])], StringComparer.OrdinalIgnoreCase);

    private readonly Runspace _runspace;

    public CommandFacts(string module)
    {
        _runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        _runspace.Open();
        using PowerShell shell = PowerShell.Create(_runspace);
        shell.AddCommand("Import-Module").AddParameter("Name", module).AddParameter("ErrorAction", "Stop").Invoke();
    }

    /// <summary>The parameters of a set that belong to the command alone, those with a position first.</summary>
    public static IReadOnlyList<CommandParameterInfo> ParametersOf(CommandParameterSetInfo set) =>
    [
        .. set.Parameters.Where(parameter => !Common.Contains(parameter.Name))
            .OrderBy(parameter => parameter.Position < 0 ? int.MaxValue : parameter.Position)
            .ThenByDescending(parameter => parameter.IsMandatory)
            .ThenBy(parameter => parameter.Name is "WhatIf" or "Confirm"),
    ];

    /// <summary>What a parameter is where it is not given.</summary>
    public static string DefaultOf(CmdletInfo command, CommandParameterInfo parameter)
    {
        if (parameter.ParameterType == typeof(SwitchParameter))
        {
            return "False";
        }

        object? value = command.ImplementingType.GetProperty(parameter.Name)?.GetValue(Activator.CreateInstance(command.ImplementingType));
        return parameter.IsMandatory || value is null or ICollection ? "None"
            : parameter.Name == "ThrottleLimit" && command.Name.StartsWith("Test", StringComparison.Ordinal) ? "The number of processors"
            : value.ToString()!;
    }

    /// <summary>The address that -Online opens.</summary>
    public static string AddressOf(CmdletInfo command) => new CommandMetadata(command.ImplementingType).HelpUri;

    public CmdletInfo Find(string name)
    {
        using PowerShell shell = PowerShell.Create(_runspace);
        return (CmdletInfo)shell.AddCommand("Get-Command").AddArgument(name).Invoke()[0].BaseObject;
    }

    public void Dispose() => _runspace.Dispose();
}
