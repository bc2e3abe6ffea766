using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Errors;

namespace PSModel.Commands;

/// <summary>A cmdlet that fetches from a registry.</summary>
public abstract class SourceCommand : RegistryCommand
{
    private string? _name;

    /// <summary>Fetch from the first of these registries that has it, in place of the name's host; the name in the store stays.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public Uri[]? Registry { get; set; }

    /// <summary>Fetch from this place of a registry: <c>host/repository:tag</c>; the name in the store stays.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Source { get; set; }

    /// <summary>Which manifest of a list: the program that is to run the model. Left out, the one that Ollama would take.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [KnownRunner]
    [ArgumentCompleter(typeof(RunnerCompleter))]
    public string? Runner { get; set; }

    /// <summary>What -Source says; <see langword="null"/> where it is not given. For the pipeline thread.</summary>
    private protected OciReference? WantedSource
    {
        get
        {
            if (Source is null)
            {
                return null;
            }

            Refuse(Registry is not null, "-Registry and -Source cannot both be given: a source names its registry.", nameof(Source));
            return Require(nameof(Source), () => OciReference.Parse(Source));
        }
    }

    /// <summary>The runner in Ollama's letters; <see langword="null"/> where none is named.</summary>
    private protected string? WantedRunner => string.IsNullOrEmpty(Runner) ? null : Runner!.ToLowerInvariant();

    /// <summary>Ends the call where a source would be saved under several names. For the pipeline thread.</summary>
    private protected void RequireOneName(IEnumerable<string> names)
    {
        foreach (string name in Source is null ? [] : names)
        {
            _name ??= name;
            Refuse(_name != name, $"-Source is the place of one model, and the names '{OutsideText.Of(_name)}' and '{OutsideText.Of(name)}' are given for it.", nameof(Source));
        }
    }

    /// <inheritdoc/>
    private protected override RegistryOptions AddPlace(RegistryOptions options)
    {
        options.Registries = Registry ?? [];
        options.Source = WantedSource;
        return options;
    }
}
