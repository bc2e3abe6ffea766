using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Pipeline;

/// <summary>What a call would do, summed up for -WhatIf; a blob of several models counts once. For the pipeline thread alone.</summary>
internal sealed class SaveForecast
{
    private readonly Dictionary<BlobDigest, long> _missing = [];
    private readonly Dictionary<BlobDigest, long> _present = [];

    /// <summary>The blob would be fetched.</summary>
    public void Fetch(Layer layer) => _missing[layer.Digest] = layer.Size;

    /// <summary>The store has the blob.</summary>
    public void Keep(Layer layer) => _present[layer.Digest] = layer.Size;

    /// <summary>The sum in a sentence; <see langword="null"/> where no blob was looked at.</summary>
    public string? Sum(ModelStore store)
    {
        if (_missing.Count + _present.Count == 0)
        {
            return null;
        }

        long needed = _missing.Values.Sum();
        long? room = store.FreeBytes;
        string space = room is { } free ? $"the volume of '{store.Root}' has room for {ByteText.Of(free)}{(free < needed ? ", which is too little" : string.Empty)}" : "how much room there is cannot be told";
        return $"In all, {Of(_missing)} would be fetched, {Of(_present)} {(_present.Count == 1 ? "is" : "are")} there, and {space}.";
    }

    private static string Of(Dictionary<BlobDigest, long> blobs) =>
        $"{blobs.Count} blob{(blobs.Count == 1 ? string.Empty : "s")} of {ByteText.Of(blobs.Values.Sum())}";
}
