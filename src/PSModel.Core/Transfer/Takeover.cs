using System.Buffers;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Manifests;
using PSModel.Core.Sinks;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Goes on with what another machine fetched of a blob into a share. It may still be at work there, unseen, so nothing of its is
/// written: the bytes are copied into a file of this machine, hashed as they are read, and kept where their hash is that of the
/// checkpoint. For one run, by whoever holds the blob's lock.
/// </summary>
internal sealed class Takeover(ModelStore store, Layer layer, Action<string> tell)
{
    private const int BufferSize = 1024 * 1024;

    private readonly CheckpointFile _checkpoints = new(store, layer.Digest);

    /// <summary>Copies what is furthest, if this machine has nothing of its own; afterwards that lies in a checkpoint as after a call
    /// of this machine.</summary>
    /// <exception cref="OperationCanceledException">It was stopped; nothing changed.</exception>
    /// <exception cref="ModelFaultException">The store cannot be read or written.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        (ModelStore Store, Checkpoint Checkpoint)? furthest = null;
        StoreFault.Guard(store, store.Work, () => furthest = _checkpoints.Exists ? null : FindFurthest());
        if (furthest is { } found)
        {
            await Task.Run(() => StoreFault.Guard(store, store.Work, () => TakeOver(found.Store, found.Checkpoint, cancellationToken)), cancellationToken).ConfigureAwait(false);
        }
    }

    private void TakeOver(ModelStore other, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        bool isKept = false;
        try
        {
            tell($"Another machine left {ByteText.Of(checkpoint.Offset)} of {layer.Digest} in '{other.Work}'; they are copied and checked.");
            isKept = Copy(other, checkpoint, cancellationToken);
            if (!isKept)
            {
                tell($"They are not what was fetched, and {layer.Digest} is fetched from its beginning.");
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // They can be fetched as well.
            tell($"They cannot be used: {e.Message}");
        }
        finally
        {
            if (!isKept)
            {
                _checkpoints.Delete();
                PartialBlob.Delete(store, layer.Digest);
                PartialBlockMap.Delete(store, layer.Digest);
            }
        }
    }

    /// <summary>Forgets what others have of a blob whose bytes turned out wrong, for they would be copied again. One that is still at
    /// work makes another checkpoint.</summary>
    public void Reject()
    {
        try
        {
            foreach (ModelStore other in store.OfOthers())
            {
                new CheckpointFile(other, layer.Digest).Delete();
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // That the bytes are wrong is what the user has to hear.
            tell($"What other machines left of {layer.Digest} in '{store.CommonWork}' could not be removed: {e.Message}");
        }
    }

    /// <summary>What there is to be taken over, in bytes.</summary>
    public long Available => FindFurthest()?.Checkpoint.Offset ?? 0;

    /// <summary>The checkpoint that a store has of a blob, where it is one to go on from.</summary>
    public static Checkpoint? TryRead(ModelStore store, Layer layer) =>
        new CheckpointFile(store, layer.Digest).TryRead(layer.Size, PartialBlob.LengthOf(store, layer.Digest), out _);

    private (ModelStore Store, Checkpoint Checkpoint)? FindFurthest()
    {
        (ModelStore, Checkpoint Checkpoint)? furthest = null;
        foreach (ModelStore other in store.OfOthers())
        {
            if (TryRead(other, layer) is { } checkpoint && checkpoint.Offset > (furthest?.Checkpoint.Offset ?? 0))
            {
                furthest = (other, checkpoint);
            }
        }

        return furthest;
    }

    private bool Copy(ModelStore other, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        BlobHash hash = new();
        using PartialBlob file = new(store, layer.Digest, kept: 0);
        using PartialBlockMap map = new(store, layer.Digest, hash.Blocks!, mark: null);
        using FileStream? source = PartialBlob.TryOpenToRead(other, layer.Digest);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read = -1; read != 0 && hash.Length < checkpoint.Offset && source is not null;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                read = source.Read(buffer, 0, (int)Math.Min(buffer.Length, checkpoint.Offset - hash.Length));
                hash.Append(buffer.AsSpan(0, read));
                file.Append(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        BlobHashState state = hash.Export();
        if (!state.Sha.AsSpan().SequenceEqual(checkpoint.State.Sha))
        {
            return false;
        }

        using CheckpointKeeper keeper = new(file, map, _checkpoints);
        keeper.Keep(checkpoint with { State = state });
        return true;
    }
}
