using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Commands;

/// <summary>A cmdlet that works on a store.</summary>
public abstract class StoreCommand : AsyncCommand
{
    private ModelStore? _store;

    /// <summary>The store that the parameter, or else the default, names. Relative paths mean the current location.</summary>
    private protected ModelStore OpenStore(string? path) =>
        _store ??= Require(target: null, () => string.IsNullOrEmpty(path) ? OpenDefault() : new ModelStore(ToFilePath(path!)));

    private ModelStore OpenDefault()
    {
        ModelStore store = new(ToFilePath(ModelStore.DefaultPath));
        if (OllamaService.OtherStore(store.Root) is { } other)
        {
            WriteWarning(OutsideText.OneLine($"The store is '{store.Root}', and the Ollama that runs on this machine reads '{other}'. To use that one, give -StorePath {SaveCommand.Quote(other)}, or set $env:OLLAMA_MODELS."));
        }

        return store;
    }

    /// <summary>Whether -WhatIf is given, or holds by the session's preference.</summary>
    private protected bool IsDryRun => MyInvocation.BoundParameters.TryGetValue("WhatIf", out object whatIf)
        ? LanguagePrimitives.IsTrue(whatIf)
        : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    /// <summary>Shows what a call would do in all. With -WhatIf it is shown, and nothing is asked.</summary>
    /// <param name="sum">The sum; <see langword="null"/> where there is nothing to show.</param>
    private protected void ShowForecast(string? sum)
    {
        if (sum is not null)
        {
            ShouldProcess(sum, sum, MyInvocation.MyCommand.Name);
        }
    }

    /// <summary>The models whose names are like a pattern; why they cannot be listed is an error.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="root">Where they are listed, for the error.</param>
    /// <param name="list">Lists them.</param>
    private protected IReadOnlyList<ModelName> FindLike(string pattern, string root, Func<IEnumerable<ModelName>> list)
    {
        WildcardPattern like = WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase);
        List<ModelName> names = [];
        Try(root, () => names.AddRange(list().Where(found => like.IsMatch(found.Shortest))));
        return names;
    }

    /// <summary>The file system's own path of a path of PowerShell's. It need not exist.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> where it is none of the file system.</exception>
    private protected string ToFilePath(string path) =>
        FilePath.TryResolve(SessionState.Path, path, out string? resolved, out string? why)
            ? resolved
            : throw new ModelFaultException(ModelFault.StoreNotWritable, $"'{path}' is no path of the file system: {why}", new FaultFacts { Path = path, Remedy = "Give a path of the file system." });
}
