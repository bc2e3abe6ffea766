using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Pipeline;

/// <summary>What a call would send, summed up for -WhatIf; a blob of several models counts once. For the pipeline thread alone.</summary>
internal sealed class PublishForecast
{
    private readonly Dictionary<BlobDigest, long> _missing = [];
    private readonly Dictionary<BlobDigest, long> _present = [];

    /// <summary>The blob would be sent.</summary>
    public void Send(Layer layer) => _missing[layer.Digest] = layer.Size;

    /// <summary>The blob is there.</summary>
    public void Keep(Layer layer) => _present[layer.Digest] = layer.Size;

    /// <summary>The sum in a sentence; <see langword="null"/> where no blob was looked at.</summary>
    public string? Sum() => _missing.Count + _present.Count == 0
        ? null
        : $"In all, {BlobCount.Of(_missing)} would be sent, and {(_present.Count == 0 ? "none is" : $"{BlobCount.Of(_present)} {(_present.Count == 1 ? "is" : "are")}")} there.";
}
