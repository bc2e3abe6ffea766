using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>What a list says of one of its manifests. Immutable.</summary>
/// <param name="MediaType">The manifest's media type; empty where the list tells none.</param>
/// <param name="Digest">The SHA-256 of the manifest's bytes, which are to be had as a blob.</param>
/// <param name="Runner">What runs the model: <c>llamacpp</c>, <c>ggml</c> or <c>mlx</c>; <see langword="null"/> where the list does not tell.</param>
/// <param name="Format">The format of the weights, <c>gguf</c> or <c>safetensors</c>; <see langword="null"/> where the list does not tell.</param>
public sealed record ManifestListEntry(string MediaType, BlobDigest Digest, string? Runner, string? Format);
