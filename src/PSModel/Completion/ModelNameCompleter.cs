using System.Collections;
using System.Management.Automation;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Completion;

/// <summary>Completes a model's name from the store; no registry is asked.</summary>
internal sealed class ModelNameCompleter : StoreCompleter
{
    private const string SchemeSeparator = "://";

    /// <inheritdoc/>
    protected override IEnumerable<CompletionResult> Complete(ModelStore store, TypedWord word, IDictionary boundParameters)
    {
        int end = word.Text.IndexOf(SchemeSeparator, StringComparison.Ordinal);
        string? scheme = end < 0 ? null : word.Text.Substring(0, end + SchemeSeparator.Length);
        return store.Manifests.FindNames()
            .Select(name => scheme is null ? name.Shortest : scheme + WithHost(name))
            .Where(word.Begins)
            .Select(text => word.Offer(text, text, text));
    }

    /// <summary>The form that a scheme can stand before.</summary>
    private static string WithHost(ModelName name) => $"{name.Host}/{name.Namespace}/{name.Model}:{name.Tag}";
}
