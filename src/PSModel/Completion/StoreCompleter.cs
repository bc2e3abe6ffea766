using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PSModel.Core.Store;

namespace PSModel.Completion;

/// <summary>Completes from the store that the command line means. Whatever goes wrong, there are no completions.</summary>
internal abstract class StoreCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            string? path = StoreArgument.Resolve(commandAst, fakeBoundParameters);
            return path is null ? [] : Complete(new ModelStore(path), new TypedWord(wordToComplete), fakeBoundParameters).ToList();
        }
        catch (Exception e) when (e is not PipelineStoppedException)
        {
            // The engine takes an exception for leave to offer the names of files instead.
            return [];
        }
    }

    /// <summary>What the store has for the word.</summary>
    protected abstract IEnumerable<CompletionResult> Complete(ModelStore store, TypedWord word, IDictionary boundParameters);
}
