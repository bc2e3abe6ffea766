using System.Diagnostics;
using System.Management.Automation;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Pipeline;

/// <summary>Gathers what becomes of each model of a call. For the pipeline thread alone.</summary>
/// <param name="only">Only these blobs are wanted; none for whole models.</param>
internal sealed class SaveSummary(ICollection<BlobDigestPart> only)
{
    private readonly Dictionary<string, Entry> _entries = [];

    /// <summary>A model's manifest is being looked up.</summary>
    public void Ask(string target) => _entries[target] = new Entry();

    /// <summary>A model's manifest is there.</summary>
    public void Begin(string target, Manifest manifest) => Of(target).Manifest = manifest;

    /// <summary>A blob is in the store.</summary>
    public void Add(string target, ModelBlobDigest blob)
    {
        Of(target).Blobs.Add(blob);
        Count(target, blob.BytesReceived, blob.BytesResumed);
    }

    /// <summary>So many bytes came of a blob, or were there of it, whatever became of it.</summary>
    public void Count(string target, long received, long resumed)
    {
        Of(target).BytesReceived += received;
        Of(target).BytesResumed += resumed;
    }

    /// <summary>Leave to write a model's manifest was asked for.</summary>
    public void Answer(Manifest manifest, bool isWanted)
    {
        if (_entries.Values.FirstOrDefault(entry => ReferenceEquals(entry.Manifest, manifest)) is { } found)
        {
            found.IsManifestWanted = isWanted;
        }
    }

    /// <summary>A blob or the manifest failed.</summary>
    public void Fail(string target, ErrorRecord error) => Of(target).Errors.Add(new ModelSaveError
    {
        Id = (error.Exception as ModelException)?.ErrorId,
        Message = error.Exception.Message,
        RecommendedAction = error.ErrorDetails?.RecommendedAction,
        Target = error.TargetObject as string,
    });

    /// <summary>Nothing more will be done for a model.</summary>
    public ModelSaveResult End(string target)
    {
        Entry entry = Of(target);
        _entries.Remove(target);
        Manifest? manifest = entry.Manifest;
        int wanted = only.Count > 0 || manifest is null ? entry.Blobs.Count : manifest.Blobs.Count;
        return new ModelSaveResult
        {
            Name = manifest?.Name.Shortest ?? target,
            Status = entry.Errors.Count > 0 ? "Failed"
                : entry.Blobs.Count < wanted || entry.IsManifestWanted == false ? "Skipped"
                : entry.IsManifestWanted is null && entry.Blobs.TrueForAll(blob => blob.Status == "AlreadyPresent") ? "AlreadyPresent"
                : "Saved",
            ManifestDigest = manifest?.Digest.ToString(),
            Size = manifest?.Size ?? 0,
            Blobs = [.. entry.Blobs],
            BytesReceived = entry.BytesReceived,
            BytesResumed = entry.BytesResumed,
            Elapsed = entry.Clock.Elapsed,
            Errors = [.. entry.Errors],
        };
    }

    private Entry Of(string target) => _entries.TryGetValue(target, out Entry? entry) ? entry : _entries[target] = new Entry();

    private sealed class Entry
    {
        public Stopwatch Clock { get; } = Stopwatch.StartNew();

        public Manifest? Manifest { get; set; }

        /// <summary>The answer; <see langword="null"/> where nothing was asked, since the manifest was there.</summary>
        public bool? IsManifestWanted { get; set; }

        public long BytesReceived { get; set; }

        public long BytesResumed { get; set; }

        public List<ModelBlobDigest> Blobs { get; } = [];

        public List<ModelSaveError> Errors { get; } = [];
    }
}
