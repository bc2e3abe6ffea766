namespace PSModel.Core.Store;

/// <summary>What lay in a manifest's place before that was written. Immutable.</summary>
/// <param name="Path">The place.</param>
/// <param name="Bytes">What was there; <see langword="null"/> where nothing was, or nothing that could be read.</param>
internal sealed record ReplacedManifest(string Path, byte[]? Bytes);
