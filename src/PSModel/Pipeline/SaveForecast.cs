using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;

namespace PSModel.Pipeline;

/// <summary>What a call would do, summed up for -WhatIf; a blob of several models counts once. For the pipeline thread alone.</summary>
internal sealed class SaveForecast(ModelStore store)
{
    private readonly Dictionary<BlobDigest, long> _missing = [];
    private readonly Dictionary<BlobDigest, long> _kept = [];
    private readonly Dictionary<BlobDigest, long> _present = [];

    /// <summary>The blob would be fetched, but for what earlier calls left of it.</summary>
    /// <returns>The bytes that they left.</returns>
    public long Fetch(Layer layer)
    {
        _missing[layer.Digest] = layer.Size;
        return _kept[layer.Digest] = KeptBytes.Of(store, layer);
    }

    /// <summary>The store has the blob.</summary>
    public void Keep(Layer layer) => _present[layer.Digest] = layer.Size;

    /// <summary>The sum in a sentence; <see langword="null"/> where no blob was looked at.</summary>
    public string? Sum()
    {
        if (_missing.Count + _present.Count == 0)
        {
            return null;
        }

        long kept = _kept.Values.Sum();
        long needed = _missing.Values.Sum() - kept;
        string fetched = kept == 0 ? $"{BlobCount.Of(_missing)} would be fetched" : $"{ByteText.Of(needed)} of {BlobCount.Of(_missing)} would be fetched, since {ByteText.Of(kept)} are kept from earlier calls";
        long? room = store.FreeBytes;
        string space = room is { } free ? $"the volume of '{store.Root}' has room for {ByteText.Of(free)}{(free < needed ? ", which is too little" : string.Empty)}" : "how much room there is cannot be told";
        return $"In all, {fetched}, {BlobCount.Of(_present)} {(_present.Count == 1 ? "is" : "are")} there, and {space}.";
    }
}
