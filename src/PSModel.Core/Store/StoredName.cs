using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>A model as a store spells it, and the file that is there of it. Immutable.</summary>
/// <param name="Name">The name, in the store's letters.</param>
/// <param name="Path">The file or the link.</param>
internal sealed record StoredName(ModelName Name, string Path);
