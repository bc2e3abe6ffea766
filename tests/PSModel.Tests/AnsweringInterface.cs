using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace PSModel.Tests;

/// <summary>Answers each choice by its label, in the order given; the last answer holds from then on. What is written is
/// dropped.</summary>
internal sealed class AnsweringInterface(string[] answers) : PSHostUserInterface
{
    private readonly List<string> _questions = [];

    public IReadOnlyList<string> Questions => _questions;

    public override PSHostRawUserInterface? RawUI => null;

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        string answer = answers[Math.Min(_questions.Count, answers.Length - 1)];
        _questions.Add(message);
        return choices.Select(choice => choice.Label.Replace("&", string.Empty, StringComparison.Ordinal)).ToList().IndexOf(answer);
    }

    public override void Write(string value)
    {
        // Nobody reads it; so below.
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
    {
    }

    public override void WriteLine(string value)
    {
    }

    public override void WriteErrorLine(string value)
    {
    }

    public override void WriteDebugLine(string message)
    {
    }

    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
    }

    public override void WriteVerboseLine(string message)
    {
    }

    public override void WriteWarningLine(string message)
    {
    }

    public override string ReadLine() => throw new NotSupportedException();

    public override SecureString ReadLineAsSecureString() => throw new NotSupportedException();

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
        throw new NotSupportedException();

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        throw new NotSupportedException();

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
        throw new NotSupportedException();
}
