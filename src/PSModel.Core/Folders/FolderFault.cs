using PSModel.Core.Faults;
using PSModel.Core.Store;

namespace PSModel.Core.Folders;

/// <summary>Makes a fault of what a file system says of a source. Stateless and thread-safe.</summary>
internal static class FolderFault
{
    /// <summary>A file that does not give its bytes. It is worth another try where it opened: a share has its moments.</summary>
    public static ModelFaultException Unreadable(string path, long at, Exception e)
    {
        FaultFacts facts = new() { Path = path };
        if (HeldFile.IsReason(e))
        {
            return HeldFile.Fault($"The source's file '{path}'", e, facts, isTransient: e is IOException);
        }

        facts.Remedy = "Nothing of it was written to the store, and what came before is kept. Look at the disk or the share, and run the same command again.";
        return new(ModelFault.BlobUnreadable, $"The source's file '{path}' cannot be read at byte {ByteText.Digits(at)}: {e.Message}", facts, e) { IsTransient = e is IOException };
    }

    /// <summary>A source that is none, or cannot be read.</summary>
    public static ModelFaultException NotFound(string folder, string why) => new(
        ModelFault.StoreNotFound,
        $"There is no source at '{folder}': {why}.",
        new FaultFacts { Path = folder, Remedy = "A source is a folder that Ollama keeps models in, with blobs and manifests, or an OCI image layout, with index.json. Check the path, and whether its disk is mounted." });
}
