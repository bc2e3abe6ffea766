using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PSModel.Commands;

namespace PSModel.Completion;

/// <summary>Completes a runner.</summary>
internal sealed class RunnerCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        KnownRunnerAttribute.Names
            .Where(name => name.StartsWith(wordToComplete ?? string.Empty, StringComparison.OrdinalIgnoreCase))
            .Select(name => new CompletionResult(name));
}
