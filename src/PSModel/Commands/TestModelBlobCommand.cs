using System.Management.Automation;
using PSModel.Completion;
using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Verification;
using PSModel.Errors;
using PSModel.Output;
using PSModel.Pipeline;

namespace PSModel.Commands;

/// <summary>Test-ModelBlob: reads blobs from the store and checks them.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ModelBlob", DefaultParameterSetName = NameSet, HelpUri = HelpAddress.Module)]
[OutputType(typeof(ModelBlobDigest), typeof(ModelBlobDiagnosis), typeof(bool))]
public sealed class TestModelBlobCommand : StoreCommand
{
    private const string NameSet = "Name";
    private const string ManifestSet = "Manifest";
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    private MemoryControl? _control;

    /// <summary>The models whose blobs are tested, as the store's manifests name them.</summary>
    [Parameter(ParameterSetName = NameSet, Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Model")]
    [AllowEmptyCollection]
    [NameOfRow]
    [ArgumentCompleter(typeof(ModelNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>What Get-ModelManifest returned: its blobs are tested.</summary>
    [Parameter(ParameterSetName = ManifestSet, Mandatory = true, ValueFromPipeline = true)]
    [ManifestOfObject]
    public ModelManifest? Manifest { get; set; }

    /// <summary>Files to test; wildcards are allowed.</summary>
    [Parameter(ParameterSetName = PathSet, Mandatory = true)]
    [SupportsWildcards]
    public string[] Path { get; set; } = [];

    /// <summary>Files to test, taken as they are written.</summary>
    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "FullName")]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The store. Files are where their paths say, so that it may be given for any input.</summary>
    [Parameter(ParameterSetName = NameSet, Position = 1)]
    [Parameter(ParameterSetName = ManifestSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(FolderCompleter))]
    public string? StorePath { get; set; }

    /// <summary>With a name: only these blobs of it. With a path: the digest that the file should have.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [Parameter(ParameterSetName = ManifestSet)]
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BlobDigestCompleter))]
    public string[]? Digest { get; set; }

    /// <summary>The way to read: through the cache, past it, or through mapped memory.</summary>
    [Parameter]
    [ValidateSet("Buffered", "Unbuffered", "MemoryMapped")]
    public string ReadMode { get; set; } = "Buffered";

    /// <summary>Read each blob by every mode and repeatedly, and say what is wrong with it.</summary>
    [Parameter]
    public SwitchParameter Diagnose { get; set; }

    /// <summary>Blobs to read at a time.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = Math.Min(Environment.ProcessorCount, 64);

    /// <summary>Give one boolean an input.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>After a read that was right, keep the block map of a blob that has none.</summary>
    [Parameter]
    public SwitchParameter KeepBlockMap { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case NameSet:
                foreach (string name in Name)
                {
                    TestModel(OutsideText.Typed(name), () => OpenStore(StorePath).Manifests.Read(ModelName.Parse(name)));
                }

                break;
            case ManifestSet:
                TestModel(Manifest!.Name, () => OutputFactory.ToManifest(Manifest));
                break;
            case PathSet:
                List<string> found = [];
                foreach (string path in Path)
                {
                    Try(path, () => found.AddRange(Resolve(path)));
                }

                TestFiles(found, path => path);
                break;
            default:
                TestFiles(LiteralPath, ToFilePath);
                break;
        }
    }

    private void TestModel(string? name, Func<Manifest> read)
    {
        List<BlobTarget> targets = [];
        try
        {
            targets.AddRange(BlobTargets.OfModel(read(), OpenStore(StorePath), Digest ?? []));
        }
        catch (ModelFaultException fault) when (Quiet && fault.Fault is ModelFault.ManifestNotFound or ModelFault.ManifestInvalid)
        {
            WriteObject(false);
            return;
        }
        catch (ModelFaultException fault)
        {
            WriteError(ErrorRecords.From(fault, name));
            return;
        }

        bool isGood = true;
        RunChecks(name, targets, check => isGood &= check.IsGood);
        if (Quiet)
        {
            WriteObject(isGood);
        }
    }

    private void TestFiles(IReadOnlyList<string> paths, Func<string, string> toFilePath)
    {
        List<BlobTarget> targets = [];
        for (int i = 0; i < paths.Count; i++)
        {
            string path = paths[i];
            int index = i;
            Try(path, () => targets.Add(BlobTargets.OfFile(toFilePath(path), Digest ?? [], index, paths.Count)));
        }

        RunChecks(null, targets, check =>
        {
            if (Quiet)
            {
                WriteObject(check.IsGood);
            }
        });
    }

    private IEnumerable<string> Resolve(string path)
    {
        try
        {
            IEnumerable<string> found = SessionState.Path.GetResolvedProviderPathFromPSPath(path, out ProviderInfo provider);
            return provider.Name == FilePath.FileSystem ? found : [ToFilePath(path)];
        }
        catch (Exception e) when (e is ItemNotFoundException or System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or ArgumentException)
        {
            // A file that is not there is a finding of the test; a path that is none of the file system is refused there.
            return [ToFilePath(path)];
        }
    }

    private void RunChecks(string? name, List<BlobTarget> targets, Action<IBlobCheck> onDone)
    {
        Core.Reading.ReadMode mode = (Core.Reading.ReadMode)Enum.Parse(typeof(Core.Reading.ReadMode), ReadMode, ignoreCase: true);
        List<IBlobCheck> checks = targets.ConvertAll<IBlobCheck>(target => Diagnose ? new BlobDiagnosis(target, _control ??= new MemoryControl(), KeepBlockMap) : new BlobTest(target, mode, KeepBlockMap));
        TestProgress progress = new(this, $"{(Diagnose ? "Diagnosing" : "Testing")} {name ?? $"{checks.Count} file{(checks.Count == 1 ? string.Empty : "s")}"}", checks);
        Run(
            name,
            (pump, token) => BlobCheckBatch.RunAsync(checks, ThrottleLimit, check => pump.Post(() => Emit(check, onDone)), token),
            progress.Show);
        progress.End();
    }

    private void Emit(IBlobCheck check, Action<IBlobCheck> onDone)
    {
        switch (check)
        {
            case { Fault: { } fault }:
                WriteError(ErrorRecords.From(fault, check.Target.Path, check.Target.Name?.Shortest));
                break;
            case BlobDiagnosis diagnosis:
                Write(OutputFactory.From(diagnosis), diagnosis.Verdict, check);
                break;
            case BlobTest test:
                TellOfCache(test);
                Write(OutputFactory.From(test), test.Status, check);
                break;
        }

        if (check.MapFault is { } mapFault)
        {
            WriteError(ErrorRecords.From(mapFault, check.Target.Path, check.Target.Name?.Shortest));
        }

        onDone(check);
    }

    private void TellOfCache(BlobTest test)
    {
        if (test.Actual is not null && !test.IsFromDisk)
        {
            WriteVerbose($"{test.Target.Path} may have been read from memory and not from a disk: its file system lets no cache be emptied or passed by.");
        }
    }

    private void Write(object result, Enum finding, IBlobCheck check)
    {
        WriteVerbose(OutsideText.OneLine($"{check.Target.Path}: {finding}, {ByteText.Of(check.BytesRead)} read."));
        if (!Quiet)
        {
            WholeObject.Write(this, result);
        }
    }
}
