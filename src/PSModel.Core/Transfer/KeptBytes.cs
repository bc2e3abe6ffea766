using PSModel.Core.Manifests;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>Tells what a save would go on with; nothing is changed for it. Stateless and thread-safe.</summary>
public static class KeptBytes
{
    /// <summary>What earlier calls, or other machines, left of a blob, in bytes; 0 where that is nothing of use.</summary>
    public static long Of(ModelStore store, Layer layer)
    {
        try
        {
            return new CheckpointFile(store, layer.Digest).Exists ? Takeover.TryRead(store, layer)?.Offset ?? 0 : new Takeover(store, layer, _ => { }).Available;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return 0;
        }
    }
}
