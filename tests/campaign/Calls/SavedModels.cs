using PSModel.Campaign.Checking;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;

namespace PSModel.Campaign.Calls;

/// <summary>Models of a registry, and what must be in a store once they are saved.</summary>
internal sealed class SavedModels
{
    private readonly List<BlobContent> _blobs = [];
    private readonly List<string> _names = [];

    public IReadOnlyList<BlobContent> Blobs => _blobs;

    public IReadOnlyList<string> Names => _names;

    public void Add(LoopbackRegistry registry, LoopbackModel model)
    {
        _blobs.AddRange(model.Blobs);
        _names.Add(registry.Offer(model));
    }

    /// <summary>Every blob is there with its size, every manifest, and nothing of unfinished work.</summary>
    public void LookAtWhole(string root, Checker checker)
    {
        ModelStore store = new(root);
        foreach (BlobContent blob in _blobs)
        {
            checker.That(store.BlobSize(BlobDigest.Parse(blob.Digest)) == blob.Length, "everything is there", () => $"{blob.Digest} is not");
        }

        foreach (string name in _names)
        {
            checker.That(File.Exists(store.Manifests.PathOf(ModelName.Parse(name))), "everything is there", () => $"the manifest of {name} is not");
        }

        string[] ends = [".partial", ".checkpoint", ".repair"];
        string work = Path.Combine(root, ".psmodel");
        string[] left = [.. (Directory.Exists(work) ? Directory.GetFiles(work) : []).Where(path => new FileInfo(path).LinkTarget is null).Select(path => Path.GetFileName(path)).Where(name => ends.Any(end => name.EndsWith(end, StringComparison.Ordinal)))];
        checker.That(left.Length == 0, "no work left over", () => string.Join(", ", left));
    }
}
