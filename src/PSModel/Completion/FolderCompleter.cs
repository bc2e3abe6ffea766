using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PSModel.Commands;

namespace PSModel.Completion;

/// <summary>Completes folders as the engine does for a literal path, with its quotes, its separators and its tilde.</summary>
internal sealed class FolderCompleter : IArgumentCompleter
{
    // CompletionCompleters.CompleteFilename would escape brackets, which a parameter without wildcards takes as they are.
    private const string Model = @"Microsoft.PowerShell.Management\Set-Location -LiteralPath ";

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            // Of other providers' containers none can be a store.
            string word = new TypedWord(wordToComplete).Text;
            if (!FilePath.TryResolve(SessionPaths.Get(), word.Length == 0 ? "." : word, out _, out _))
            {
                return [];
            }

            using PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
            string line = Model + wordToComplete;
            return CommandCompletion.CompleteInput(line, line.Length, new Hashtable(), shell).CompletionMatches
                .Where(match => match.ResultType == CompletionResultType.ProviderContainer)
                .ToList();
        }
        catch (Exception e) when (e is not PipelineStoppedException)
        {
            return [];
        }
    }
}
