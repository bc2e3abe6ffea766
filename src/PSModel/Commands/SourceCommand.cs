using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sources;

namespace PSModel.Commands;

/// <summary>A cmdlet that fetches: from registries, or from a folder.</summary>
public abstract class SourceCommand : RegistryCommand
{
    private Dictionary<string, FolderSource>? _folders;
    private string? _name;

    /// <summary>Fetch from the first of these registries that has it, in place of the name's host; the name in the store stays.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public Uri[]? Registry { get; set; }

    /// <summary>Fetch from this place of a registry, <c>host/repository:tag</c>, or from this folder: a store of Ollama's, or an OCI image
    /// layout. The name in the store stays.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? Source { get; set; }

    /// <summary>Which manifest of a list: the program that is to run the model. Left out, the one that Ollama would take.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [KnownRunner]
    [ArgumentCompleter(typeof(RunnerCompleter))]
    public string? Runner { get; set; }

    /// <summary>The folder that -Source names; <see langword="null"/> where it names none. For the pipeline thread.</summary>
    private protected FolderSource? WantedFolder
    {
        get
        {
            Refuse(Source is not null && Registry is not null, "-Registry and -Source cannot both be given: a source names its registry, or none.", nameof(Source));
            return Source is not null && IsFolder(Source) ? Require(Source, () => OpenFolder(Source)) : null;
        }
    }

    /// <summary>The place of a registry that -Source names; <see langword="null"/> where it names none. For the pipeline thread.</summary>
    private protected OciReference? WantedReference => Source is null || WantedFolder is not null ? null : Require(OutsideText.Typed(Source), () => OciReference.Parse(Source));

    /// <summary>The runner in Ollama's letters; <see langword="null"/> where none is named.</summary>
    private protected string? WantedRunner => string.IsNullOrEmpty(Runner) ? null : Runner!.ToLowerInvariant();

    /// <summary>Where a model comes from; <see langword="null"/> where that cannot be opened, and was told. For the pipeline thread.</summary>
    /// <param name="origin">Where it came from before, as an object of the pipeline tells; the parameters go before it.</param>
    /// <param name="target">What an error is about.</param>
    private protected ModelSource? TryOpenSource(string? origin, object target)
    {
        if (Source is not null || Registry is not null || origin is null || !FilePath.Reads(origin))
        {
            return WantedFolder ?? (ModelSource)Connect();
        }

        FolderSource? folder = null;
        Try(target, () => folder = OpenFolder(origin));
        return folder;
    }

    /// <summary>Ends the call where one place of a registry would be saved under several names. For the pipeline thread.</summary>
    private protected void RequireOneName(IEnumerable<string> names)
    {
        foreach (string name in WantedReference is null ? [] : names)
        {
            _name ??= name;
            Refuse(_name != name, $"-Source is the place of one model, and the names '{OutsideText.Of(_name)}' and '{OutsideText.Of(name)}' are given for it.", nameof(Source));
        }
    }

    /// <inheritdoc/>
    private protected override RegistryOptions AddPlace(RegistryOptions options)
    {
        options.Registries = Registry ?? [];
        options.Source = WantedReference;
        return options;
    }

    /// <summary>What reads as a path is one, and what reads as a reference is one; else it is a folder if there is one.</summary>
    private bool IsFolder(string source) =>
        FilePath.Reads(source) || (!OciReference.TryParse(source, out _, out _) && FilePath.TryResolve(SessionState.Path, source, out string? path, out _) && Directory.Exists(path));

    private FolderSource OpenFolder(string folder)
    {
        string path = ToFilePath(folder);
        if (!(_folders ??= []).TryGetValue(path, out FolderSource? known))
        {
            _folders[path] = known = FolderSource.Open(path, Options());
        }

        return known;
    }
}
