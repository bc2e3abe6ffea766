namespace PSModel.Core.Transfer;

/// <summary>
/// Hands out consecutive segments of the blob to lanes, takes what arrives in any order, and passes it on in the order of
/// the blob. It is bounded: lanes wait while too much has arrived that the hash and the disk have not finished, or that no
/// checkpoint covers. Those that wait block. Thread-safe.
/// </summary>
/// <remarks>Segments are handed out further ahead than bytes may arrive: a claim takes no memory, and long segments make few
/// requests. Where lanes run ahead of the head of the line they are held, and so come to finish one after the other.</remarks>
internal sealed class ReceiveWindow
{
    /// <summary>A segment is not called slow before this many milliseconds: a connection needs its time to start.</summary>
    private const int SlowAfter = 1000;

    /// <summary>A head of the line that would take this much longer than a new connection gets a second one.</summary>
    private const int SlowFactor = 3;

    /// <summary>Segments are handed out up to this many windows ahead.</summary>
    private const int Reach = 2;

    /// <summary>The head of the line may go on with this part of the window on its way to hash and disk, however much waits
    /// behind it: otherwise those behind could block it for good.</summary>
    private const int HeadPart = 4;

    private readonly object _gate = new();
    private readonly long _size;
    private readonly TransferOptions _options;
    private readonly Action<Chunk> _deliver;
    private readonly Queue<Segment> _segments = new();
    private readonly Queue<Segment> _abandoned = new();

    private readonly TaskCompletionSource<bool> _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private long _unclaimed;
    private long _arrived;
    private long _delivered;
    private long _released;
    private long _durable;
    private double _peerRate;

    /// <summary>Makes a window over the bytes from <paramref name="start"/> to <paramref name="size"/>.</summary>
    /// <param name="start">The bytes that are there already.</param>
    /// <param name="size">The blob's size.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="deliver">Given each chunk in order; called under the window's lock, so it must not block.</param>
    public ReceiveWindow(long start, long size, TransferOptions options, Action<Chunk> deliver)
    {
        _size = size;
        _options = options;
        _deliver = deliver;
        _unclaimed = _arrived = _delivered = _released = _durable = start;
        SignalIfComplete();
    }

    /// <summary>Whether another lane would find work and room.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _abandoned.Count > 0 || (IsInReach(Math.Min(BufferPool.BufferSize, _size - _unclaimed)) && _arrived - _released < _options.Window);
            }
        }
    }

    /// <summary>Whether every byte has arrived.</summary>
    public bool IsComplete => WhenComplete.IsCompleted;

    /// <summary>Ends when every byte has arrived.</summary>
    public Task WhenComplete => _complete.Task;

    /// <summary>Whether a segment has arrived whole.</summary>
    public bool IsDone(Segment segment)
    {
        lock (_gate)
        {
            return segment.IsComplete;
        }
    }

    /// <summary>The offset of the first byte of the segment that has not arrived.</summary>
    public long FrontierOf(Segment segment)
    {
        lock (_gate)
        {
            return segment.Frontier;
        }
    }

    /// <summary>Takes work if there is some: a new segment, one that another lane gave up, or the head of the line where that
    /// is slow.</summary>
    /// <param name="lane">Who will fetch it.</param>
    /// <param name="lanes">Tells how long a new segment is.</param>
    /// <returns>A segment to fetch from its frontier on; <see langword="null"/> where there is nothing to do for now.</returns>
    public Segment? TryClaim(Lane lane, LaneCount lanes)
    {
        lock (_gate)
        {
            Segment? segment = null;
            long length = lanes.SegmentLength(_size - _unclaimed);
            if (_abandoned.Count > 0)
            {
                segment = _abandoned.Dequeue();
            }
            else if (IsInReach(length))
            {
                segment = new Segment(_unclaimed, _unclaimed + length);
                _segments.Enqueue(segment);
                _unclaimed += length;
            }
            else if (_segments.Count > 0 && IsSlow(_segments.Peek()))
            {
                segment = _segments.Peek();
            }

            segment?.Lanes.Add(lane);
            return segment;
        }
    }

    /// <summary>Takes work, and waits for it where there is none.</summary>
    /// <returns>As of <see cref="TryClaim"/>; <see langword="null"/> when all bytes have arrived.</returns>
    public Segment? Claim(Lane lane, LaneCount lanes, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Segment? segment = TryClaim(lane, lanes);
            while (segment is null && !IsComplete)
            {
                WaitForChange(cancellationToken);
                segment = TryClaim(lane, lanes);
            }

            return segment;
        }
    }

    /// <summary>Whether more bytes of a segment may arrive, or none are missing.</summary>
    public bool HasRoomFor(Segment segment)
    {
        lock (_gate)
        {
            bool isCovered = _delivered - _durable < _options.LargestLoss - _options.Window;
            bool isHead = _segments.Count > 0 && segment == _segments.Peek();
            bool isRoom = _arrived - _released < _options.Window
                || (isHead && _delivered - _released < _options.Window / HeadPart);
            return segment.IsComplete || (isCovered && isRoom);
        }
    }

    /// <summary>Waits until more bytes of a segment may arrive.</summary>
    public void WaitForRoom(Segment segment, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            while (!HasRoomFor(segment))
            {
                WaitForChange(cancellationToken);
            }
        }
    }

    /// <summary>Lets those that wait look about them at once, as when the transfer has been stopped.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Takes bytes that arrived for a segment. Two lanes may fetch the same segment: the first to bring a byte
    /// wins, and what is there already is passed over.</summary>
    /// <returns>The bytes that were of use; the buffer is kept where there are any, and free again where there are none.</returns>
    public int Offer(Lane lane, Segment segment, long position, byte[] buffer, int length)
    {
        lock (_gate)
        {
            int known = (int)Math.Min(Math.Max(segment.Frontier - position, 0), length);
            int useful = length - known;
            if (useful == 0)
            {
                return 0;
            }

            segment.Waiting.Enqueue(new Chunk(buffer, known, useful, segment.Frontier));
            segment.Frontier += useful;
            _arrived += useful;
            if (segment == _segments.Peek())
            {
                DeliverHead();
            }

            if (segment.IsComplete)
            {
                NotePeerRate(segment);
                segment.Lanes.FindAll(other => other != lane).ForEach(other => other.Interrupt());
            }

            return useful;
        }
    }

    /// <summary>A lane says that it no longer fetches the segment. What is missing of it is given to another.</summary>
    public void Leave(Lane lane, Segment segment)
    {
        lock (_gate)
        {
            segment.Lanes.Remove(lane);
            if (segment.Lanes.Count == 0 && !segment.IsComplete)
            {
                _abandoned.Enqueue(segment);
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>The hash and the disk both have so many bytes more.</summary>
    public void Release(int bytes)
    {
        lock (_gate)
        {
            _released += bytes;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>A checkpoint up to this offset is safe on the disk.</summary>
    public void MarkDurable(long offset)
    {
        lock (_gate)
        {
            _durable = offset;
            Monitor.PulseAll(_gate);
        }
    }

    private bool IsInReach(long length) =>
        length > 0 && _unclaimed + length <= _released + Math.Max(Reach * _options.Window, length);

    /// <summary>One lane alone, and at its pace the rest takes much longer than it would over a connection like its peers'.</summary>
    private bool IsSlow(Segment head)
    {
        if (head.Lanes.Count != 1 || head.Age < SlowAfter || _peerRate == 0)
        {
            return false;
        }

        double rate = (head.Frontier - head.Start) / (double)head.Age;
        return rate * SlowFactor < _peerRate;
    }

    /// <summary>A moving average of the bytes a millisecond that finished segments came at.</summary>
    private void NotePeerRate(Segment segment)
    {
        double rate = (segment.End - segment.Start) / (double)Math.Max(segment.Age, 1);
        _peerRate = _peerRate == 0 ? rate : (_peerRate * 0.75) + (rate * 0.25);
    }

    private void DeliverHead()
    {
        while (_segments.Count > 0)
        {
            Segment head = _segments.Peek();
            while (head.Waiting.Count > 0)
            {
                Chunk chunk = head.Waiting.Dequeue();
                _delivered = chunk.End;
                _deliver(chunk);
            }

            if (!head.IsComplete)
            {
                return;
            }

            // Whoever is the head now may have waited behind the old one.
            _segments.Dequeue();
            Monitor.PulseAll(_gate);
        }

        SignalIfComplete();
    }

    private void SignalIfComplete()
    {
        if (_unclaimed == _size && _segments.Count == 0)
        {
            _complete.TrySetResult(true);
        }
    }

    /// <summary>Under the lock, which others may have while it waits.</summary>
    private void WaitForChange(CancellationToken cancellationToken)
    {
        // Who is stopped is woken once: by then it waits, or it sees the token here.
        cancellationToken.ThrowIfCancellationRequested();
        Monitor.Wait(_gate, _options.WaitingLook);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
