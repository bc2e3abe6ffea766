using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using PSModel.Commands;
using PSModel.Core.Store;

namespace PSModel.Completion;

/// <summary>Finds the store that a command line means while it is still being typed. For the pipeline thread.</summary>
internal static class StoreArgument
{
    private const string StorePathParameter = "StorePath";

    /// <summary>The store's folder, which need not exist; <see langword="null"/> where nobody can know it yet.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="boundParameters">What the engine could tell of its values.</param>
    public static string? Resolve(CommandAst command, IDictionary boundParameters)
    {
        string? path = boundParameters.Contains(StorePathParameter)
            ? LanguagePrimitives.ConvertTo<string>(boundParameters[StorePathParameter])
            : Argument(command) is { } argument ? Expand(argument) : ModelStore.DefaultPath;
        return !string.IsNullOrEmpty(path) && FilePath.TryResolve(SessionPaths.Get(), path!, out string? resolved, out _) ? resolved : null;
    }

    /// <summary>The argument of -StorePath, by name or by position, where the engine could not tell its value.</summary>
    private static CommandElementAst? Argument(CommandAst command) =>
        StaticParameterBinder.BindCommand(command, resolve: true).BoundParameters.TryGetValue(StorePathParameter, out ParameterBindingResult? binding)
            ? binding.Value
            : null;

    /// <summary>The text of <c>$HOME/models</c> or <c>"$env:DATA/models"</c>. Nothing is run for it, so that of anything else
    /// than variables nothing is known.</summary>
    private static string? Expand(CommandElementAst argument)
    {
        if (argument is not ExpandableStringExpressionAst text || !text.NestedExpressions.All(part => part is VariableExpressionAst))
        {
            return null;
        }

        // As an argument, since without quotes it would be a division.
        using PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddScript($"& {{ $args[0] }} {text.Extent.Text}", useLocalScope: true);
        return shell.Invoke().Single()?.BaseObject as string;
    }
}
