using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sources;
using PSModel.Errors;
using PSModel.Output;

namespace PSModel.Commands;

/// <summary>Get-ModelManifest: reads manifests from a registry or from the store.</summary>
[Cmdlet(VerbsCommon.Get, "ModelManifest", HelpUri = HelpAddress.Module)]
[OutputType(typeof(ModelManifest), typeof(string), typeof(ModelTag))]
public sealed class GetModelManifestCommand : SourceCommand
{
    /// <summary>As many connections as a registry hardly minds.</summary>
    private const int SideBySide = 8;

    private readonly List<string> _asked = [];
    private FolderSource? _folder;

    /// <summary>The model names; none at all for every manifest in the store.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Model")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>The store.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? StorePath { get; set; }

    /// <summary>Read the store, not the registry.</summary>
    [Parameter]
    public SwitchParameter Local { get; set; }

    /// <summary>Give the manifest's text.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    /// <summary>List the tags that a model has.</summary>
    [Parameter]
    public SwitchParameter ListTag { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        Refuse(Local && Source is not null, "-Local and -Source cannot both be given: one is the store, the other is elsewhere.", nameof(Source));
        IReadOnlyList<string> names = Name ?? (WantedReference is { } reference ? [reference.ToName().ToString()] : ["*"]);
        _folder ??= WantedFolder ?? (Local || (Name is null && Source is null) ? new StoreSource(OpenStore(StorePath), Options()) : null);
        RequireOneName(names);
        foreach (string name in names)
        {
            if (ListTag)
            {
                GetTags(name);
            }
            else if (_folder is not null)
            {
                GetFrom(_folder, name);
            }
            else
            {
                _asked.Add(name);
                if (_asked.Count == SideBySide)
                {
                    GetRemote();
                }
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => GetRemote();

    /// <summary>Asks for the manifests that were gathered, side by side, and gives them in the order of the names.</summary>
    private void GetRemote()
    {
        if (_asked.Count == 0)
        {
            return;
        }

        RegistryClient client = Connect();
        List<string> names = [.. _asked];
        _asked.Clear();
        Run(OutsideText.Typed(names[0]), async (pump, token) =>
        {
            Task<Action>[] reads = [.. names.Select(name => Task.Factory.StartNew(() => GetRemote(client, name, token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            foreach (Task<Action> read in reads)
            {
                pump.Post(await read.ConfigureAwait(false));
            }
        });
    }

    private Action GetRemote(RegistryClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            return Read(() => client.GetManifest(ModelName.Parse(name), origin: null, WantedRunner, cancellationToken));
        }
        catch (ModelFaultException fault)
        {
            return () => WriteError(ErrorRecords.From(fault, OutsideText.Typed(name)));
        }
    }

    private void GetTags(string name)
    {
        if (_folder is not null && Name is null)
        {
            Try(_folder.Root, () => WriteTags(_folder.FindNames()));
            return;
        }

        ModelSource source = _folder ?? (ModelSource)Connect();
        Run(OutsideText.Typed(name), (pump, token) =>
        {
            IReadOnlyList<ModelName> tags = source.GetTags(ModelName.Parse(name), token);
            pump.Post(() => WriteTags(tags));
            return Task.CompletedTask;
        });
    }

    private void WriteTags(IEnumerable<ModelName> names)
    {
        foreach (ModelName name in names)
        {
            WriteObject(new ModelTag { Name = name.ToString(), Tag = name.Tag });
        }
    }

    private void GetFrom(FolderSource folder, string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
        {
            Try(OutsideText.Typed(name), () => Read(() => folder.GetManifest(ModelName.Parse(name), origin: null, WantedRunner, CancellationToken.None))());
            return;
        }

        foreach (ModelName found in FindLike(name, folder.Root, folder.FindNames))
        {
            Try(found.Shortest, () => Read(() => folder.GetManifest(found, origin: null, WantedRunner, CancellationToken.None))());
        }
    }

    /// <summary>Reads a manifest on any thread, and gives what the pipeline thread does with it. A text that was refused is what -Raw
    /// is asked for.</summary>
    private Action Read(Func<Manifest> read)
    {
        try
        {
            Manifest manifest = read();
            return () => Write(manifest);
        }
        catch (ModelFaultException refused) when (Raw && refused.Facts.Content is not null)
        {
            return () =>
            {
                WriteVerbose(OutsideText.OneLine(refused.Message));
                WriteObject(OutputFactory.RawOf(refused.Facts.Content));
            };
        }
    }

    private void Write(Manifest manifest)
    {
        WriteVerbose(OutsideText.OneLine($"The manifest of {manifest.Name.Shortest} was read from {manifest.Source}."));
        if (Raw)
        {
            WriteObject(OutputFactory.RawOf(manifest.GetServedBytes()));
        }
        else
        {
            ModelManifest read = OutputFactory.From(manifest);
            read.Origin = Source is not null && _folder is not null ? _folder.Root : read.Origin;
            WholeObject.Write(this, read);
        }
    }
}
