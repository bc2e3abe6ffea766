using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace PSModel.Cli;

/// <summary>Output to standard output; errors, warnings and the progress bar to standard error.</summary>
internal sealed class TerminalInterface : PSHostUserInterface
{
    private readonly ProgressLine _progress = new();

    public override PSHostRawUserInterface RawUI { get; } = new TerminalRawInterface();

    public override bool SupportsVirtualTerminal => !Console.IsOutputRedirected;

    public override void Write(string value)
    {
        _progress.Clear();

        // Colours are for eyes: PowerShell takes them out where there is no terminal.
        Console.Out.Write(GetOutputString(value, SupportsVirtualTerminal));
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

    public override void WriteLine(string value) => Write(value + Environment.NewLine);

    public override void WriteErrorLine(string value) => WriteToError(value);

    public override void WriteWarningLine(string message) => WriteToError($"WARNING: {message}");

    public override void WriteVerboseLine(string message) => WriteToError($"VERBOSE: {message}");

    public override void WriteDebugLine(string message) => WriteToError($"DEBUG: {message}");

    public override void WriteProgress(long sourceId, ProgressRecord record) => _progress.Show(record);

    public void EndProgress() => _progress.Clear();

    public override string ReadLine() => Console.ReadLine() ?? string.Empty;

    public override SecureString ReadLineAsSecureString() => throw new NotSupportedException("This program cannot ask for a secret; give it as a parameter.");

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        WriteLine(caption);
        WriteLine(message);
        for (int i = 0; i < choices.Count; i++)
        {
            WriteLine($"  {i}  {choices[i].Label.Replace("&", string.Empty, StringComparison.Ordinal)}{(i == defaultChoice ? "  (default)" : string.Empty)}");
        }

        return int.TryParse(ReadLine(), out int choice) && choice >= 0 && choice < choices.Count ? choice : defaultChoice;
    }

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        Dictionary<string, PSObject> answers = [];
        foreach (FieldDescription field in descriptions)
        {
            Write($"{field.Name}: ");
            answers[field.Name] = new PSObject(ReadLine());
        }

        return answers;
    }

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        throw new NotSupportedException("This program cannot ask for credentials.");

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
        throw new NotSupportedException("This program cannot ask for credentials.");

    private void WriteToError(string line)
    {
        _progress.Clear();
        Console.Error.WriteLine(line);
    }
}
