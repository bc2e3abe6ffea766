using System.Globalization;
using System.Management.Automation.Host;

namespace PSModel.Cli;

/// <summary>The least of a host that PowerShell needs: it writes to the terminal and asks nothing but confirmation.</summary>
internal sealed class TerminalHost : PSHost
{
    public TerminalInterface Terminal { get; } = new();

    public override string Name => "psmodel";

    public override Version Version { get; } = typeof(TerminalHost).Assembly.GetName().Version!;

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override PSHostUserInterface UI => Terminal;

    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    /// <summary>Writes an error.</summary>
    /// <returns>The exit code of a failure.</returns>
    public int Fail(string message)
    {
        Terminal.WriteErrorLine(message);
        return 1;
    }

    public override void SetShouldExit(int exitCode) => Environment.ExitCode = exitCode;

    public override void EnterNestedPrompt() => throw new NotSupportedException("This program has no prompt.");

    public override void ExitNestedPrompt() => throw new NotSupportedException("This program has no prompt.");

    public override void NotifyBeginApplication()
    {
        // A program that PowerShell starts has the terminal as it is.
    }

    public override void NotifyEndApplication()
    {
        // Likewise.
    }
}
