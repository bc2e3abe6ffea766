using System.Globalization;
using System.Management.Automation.Host;

namespace PSModel.Tests;

/// <summary>A host that answers what it is asked.</summary>
public sealed class AnsweringHost(params string[] answers) : PSHost
{
    private readonly AnsweringInterface _interface = new(answers);

    /// <summary>What was asked so far.</summary>
    public IReadOnlyList<string> Questions => _interface.Questions;

    public override string Name => "answering";

    public override Version Version { get; } = new(1, 0);

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override PSHostUserInterface UI => _interface;

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;

    public override void SetShouldExit(int exitCode) => throw new NotSupportedException();

    public override void EnterNestedPrompt() => throw new NotSupportedException();

    public override void ExitNestedPrompt() => throw new NotSupportedException();

    public override void NotifyBeginApplication()
    {
        // No program is started.
    }

    public override void NotifyEndApplication()
    {
        // Likewise.
    }
}
