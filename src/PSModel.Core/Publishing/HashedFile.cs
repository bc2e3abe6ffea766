using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>
/// A blob's file, read from its beginning to its end, and hashed as it is read. Where a part is read again, since its bytes were lost on
/// their way, the hash begins again there too, and so is always that of the bytes that were given last. For one reader at a time.
/// </summary>
internal sealed class HashedFile : IDisposable
{
    private readonly StoredBlob _blob;
    private readonly BlobFile _file;

    /// <summary>The states of the hash, by how many bytes they are of: one behind each unit that may be wanted again.</summary>
    private readonly SortedDictionary<long, byte[]> _states = [];

    private ReadAhead? _ahead;
    private ReadBuffer? _unit;
    private int _used;

    private HashedFile(StoredBlob blob, BlobFile file)
    {
        _blob = blob;
        _file = file;
        _states[0] = new Sha256().Export();
    }

    /// <summary>The offset of the byte that is given next.</summary>
    public long Position { get; private set; }

    /// <summary>The offset behind the last byte that was given, of which whoever took it may have used some before it failed.</summary>
    public long Given => Position + (_unit is null ? 0 : _unit.Length - _used);

    private long Size => _blob.Layer.Size;

    /// <summary>Opens a blob's file.</summary>
    /// <exception cref="ModelFaultException">It is not there, has another size, or cannot be read.</exception>
    public static HashedFile Open(StoredBlob blob)
    {
        blob.Require();
        try
        {
            return new HashedFile(blob, HeldFile.Open(blob.Path, () => BlobFile.Open(blob.Path, ReadMode.Buffered)));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw blob.Unreadable(e);
        }
    }

    /// <summary>Gives the bytes that come next.</summary>
    /// <param name="end">Where to stop.</param>
    /// <param name="use">Given each piece: the array, where in it the piece begins, and its length. Where it fails, the piece comes next
    /// still.</param>
    /// <param name="cancellationToken">Ends the wait for the disk.</param>
    /// <exception cref="ModelFaultException">The file ends early, or cannot be read.</exception>
    public void ReadTo(long end, Action<byte[], int, int> use, CancellationToken cancellationToken)
    {
        while (Position < end)
        {
            ArraySegment<byte> piece = Peek(cancellationToken);
            int count = (int)Math.Min(piece.Count, end - Position);
            use(piece.Array!, piece.Offset, count);
            Advance(count);
        }
    }

    /// <summary>Some of the bytes that come next: at the end none. They are good until the next call.</summary>
    /// <exception cref="ModelFaultException">The file ends early, or cannot be read.</exception>
    public ArraySegment<byte> Peek(CancellationToken cancellationToken)
    {
        if (Position == Size)
        {
            return default;
        }

        try
        {
            _ahead ??= Begin();
            _unit ??= _ahead.Take(cancellationToken);
            return new ArraySegment<byte>(_unit.Array, _unit.Start + _used, _unit.Length - _used);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw _blob.Unreadable(e);
        }
    }

    /// <summary>Goes on behind so many of the bytes that <see cref="Peek"/> gave.</summary>
    private void Advance(int count)
    {
        Position += count;
        _used += count;
        if (_used == _unit!.Length)
        {
            _ahead!.Return(_unit);
            _unit = null;
            _used = 0;
        }
    }

    /// <summary>Goes on at another place: back, or ahead to what is read only to be hashed.</summary>
    /// <exception cref="ModelFaultException">The file ends early, or cannot be read.</exception>
    public void MoveTo(long offset, CancellationToken cancellationToken)
    {
        if (offset < Position)
        {
            Stop();
            lock (_states)
            {
                // What was hashed beyond is hashed anew.
                Position = _states.Keys.Last(known => known <= offset);
            }
        }

        ReadTo(offset, static (_, _, _) => { }, cancellationToken);
    }

    /// <summary>All bytes, from wherever it is.</summary>
    /// <exception cref="ModelFaultException">The file ends early, or cannot be read.</exception>
    public byte[] ReadAll(CancellationToken cancellationToken)
    {
        MoveTo(0, cancellationToken);
        byte[] bytes = new byte[Size];
        ReadTo(Size, (piece, start, count) => Buffer.BlockCopy(piece, start, bytes, (int)Position, count), cancellationToken);
        return bytes;
    }

    /// <summary>Nothing before an offset will be wanted again, unless all of it.</summary>
    public void Forget(long offset)
    {
        lock (_states)
        {
            long kept = _states.Keys.Last(known => known <= offset);
            foreach (long known in _states.Keys.Where(known => known > 0 && known < kept).ToList())
            {
                _states.Remove(known);
            }
        }
    }

    /// <summary>Sees that all bytes, as they were given, have the blob's digest.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.DigestMismatch"/>, or the file ends early, or cannot be read.</exception>
    public void RequireRight(CancellationToken cancellationToken)
    {
        BlobDigest actual = Digest(cancellationToken);
        if (actual != _blob.Layer.Digest)
        {
            throw _blob.Damaged(actual);
        }
    }

    /// <summary>The digest of all bytes as they were given.</summary>
    public BlobDigest Digest(CancellationToken cancellationToken)
    {
        MoveTo(Size, cancellationToken);
        lock (_states)
        {
            return BlobDigest.FromHash(Sha256.Restore(_states[Size]).ComputeHash());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _file.Dispose();
    }

    private ReadAhead Begin()
    {
        Sha256 sha;
        lock (_states)
        {
            sha = Sha256.Restore(_states[Position]);
        }

        return new ReadAhead(
            _file,
            sha,
            Size,
            read =>
            {
                lock (_states)
                {
                    _states[read.Length] = read.Export();
                }
            },
            () => _blob.OtherSize(FileFacts.TryRead(_blob.Path)?.Size ?? 0));
    }

    private void Stop()
    {
        _unit?.Dispose();
        _unit = null;
        _used = 0;
        _ahead?.Dispose();
        _ahead = null;
    }
}
