using PSModel.Core.Buffers;
using PSModel.Core.Registry;

namespace PSModel.Core.Scheduling;

/// <summary>What the schedule knows of one blob: what nobody fetches yet, what is being fetched, and how far the rest has come.
/// Only the <see cref="Scheduler"/> changes it. Times are in milliseconds.</summary>
internal class BlobSchedule
{
    private readonly LinkedList<ByteRange> _unclaimed;
    private readonly Action<Chunk> _deliver;
    private readonly long _wanted;
    private long _hungrySince;
    private long _hungry;

    /// <summary>Makes the schedule of a blob.</summary>
    /// <param name="size">The blob's size in bytes.</param>
    /// <param name="ranges">What is to be fetched of it, in ascending order.</param>
    /// <param name="isSmall">Whether one lane fetches all of it, and is hash and disk as well.</param>
    /// <param name="hasCheckpoints">Whether what was delivered is made durable from time to time.</param>
    /// <param name="deliver">Given each chunk in order; must return at once.</param>
    public BlobSchedule(long size, IEnumerable<ByteRange> ranges, bool isSmall, bool hasCheckpoints, Action<Chunk> deliver)
    {
        Size = size;
        IsSmall = isSmall;
        HasCheckpoints = hasCheckpoints;
        _deliver = deliver;
        _unclaimed = new LinkedList<ByteRange>(ranges.Where(range => range.Length > 0));
        Unclaimed = Missing = _wanted = _unclaimed.Sum(range => range.Length);
        State = Missing == 0 ? BlobState.Arrived : BlobState.Open;
    }

    /// <summary>Told once that every byte has been delivered; must return at once.</summary>
    public Action? OnArrived { get; set; }

    /// <summary>Told once why nothing more will be delivered; must return at once.</summary>
    public Action<Exception>? OnFailed { get; set; }

    public long Size { get; }

    public bool IsSmall { get; }

    public bool HasCheckpoints { get; }

    public BlobState State { get; private set; }

    /// <summary>The segments that are not delivered whole, in the order of the blob.</summary>
    public List<Segment> Segments { get; } = [];

    /// <summary>The bytes that no segment has.</summary>
    public long Unclaimed { get; private set; }

    /// <summary>The bytes that have not arrived.</summary>
    public long Missing { get; private set; }

    /// <summary>The bytes that have arrived.</summary>
    public long Arrived => _wanted - Missing;

    /// <summary>The bytes that were given to hash and disk.</summary>
    public long Delivered { get; private set; }

    /// <summary>The bytes that both of them have.</summary>
    public long Released { get; private set; }

    /// <summary>The bytes that a checkpoint covers.</summary>
    public long Durable { get; set; }

    /// <summary>The bytes on their way to hash and disk.</summary>
    public long Backlog => Delivered - Released;

    /// <summary>Hash and disk have had more to do than they can, and have not caught up since.</summary>
    public bool IsBehind { get; set; }

    /// <summary>The server ignores ranges, so that one lane alone can fetch the blob.</summary>
    public bool IsSingle { get; set; }

    /// <summary>With <see cref="IsSingle"/>, the lane that has come furthest in what the server sends; none where that is lost.</summary>
    public LaneSchedule? Owner { get; set; }

    /// <summary>Retries in a row without progress.</summary>
    public int Retries { get; set; }

    /// <summary>Failures in a row that were not counted as retries, since others were served.</summary>
    public int Excused { get; set; }

    /// <summary>Nothing is asked for before this moment.</summary>
    public long NotBefore { get; set; }

    /// <summary>Failures of attempts that began before this moment belong to the retry that was counted then.</summary>
    public long CountedAt { get; set; } = long.MinValue;

    public Segment? Head => Segments.Count > 0 ? Segments[0] : null;

    /// <summary>Takes the next bytes that nobody has; at most so many.</summary>
    public Segment Claim(long length)
    {
        ByteRange range = _unclaimed.First!.Value;
        long end = Math.Min(range.End, range.Start + length);
        _unclaimed.RemoveFirst();
        if (end < range.End)
        {
            _unclaimed.AddFirst(new ByteRange(end, range.End));
        }

        Segment segment = new(this, range.Start, end);
        Segments.Add(segment);
        Unclaimed -= end - range.Start;
        return segment;
    }

    /// <summary>Cuts a segment in two.</summary>
    /// <param name="segment">Keeps what lies before <paramref name="at"/>.</param>
    /// <param name="at">An offset past the segment's frontier and before its end.</param>
    /// <returns>The segment of the rest, which nobody fetches yet.</returns>
    public Segment Split(Segment segment, long at)
    {
        Segment rest = new(this, at, segment.End);
        segment.End = at;
        Segments.Insert(Segments.IndexOf(segment) + 1, rest);
        return rest;
    }

    /// <summary>Delivers what is in order.</summary>
    public void Deliver(long now)
    {
        while (Head is { } head)
        {
            while (head.Waiting.Count > 0)
            {
                Chunk chunk = head.Waiting.Dequeue();
                NoteHunger(now);
                Delivered += chunk.Length;
                _deliver(chunk);
            }

            if (!head.IsComplete)
            {
                return;
            }

            Segments.RemoveAt(0);
        }

        if (Unclaimed == 0 && State == BlobState.Open)
        {
            State = BlobState.Arrived;
            OnArrived?.Invoke();
        }
    }

    /// <summary>Bytes arrived: what went wrong before does not count any more.</summary>
    public void Receive(int bytes)
    {
        Missing -= bytes;
        Retries = Excused = 0;
        NotBefore = 0;
    }

    public void Release(int bytes, long now)
    {
        Released += bytes;
        if (Backlog == 0)
        {
            _hungrySince = now;
            IsBehind = false;
        }
    }

    /// <summary>The time since the last call in which hash and disk had nothing to do.</summary>
    public long TakeHunger(long now)
    {
        NoteHunger(now);
        _hungrySince = now;
        long hungry = _hungry;
        _hungry = 0;
        return hungry;
    }

    /// <summary>Ends the blob's part in the schedule.</summary>
    /// <param name="error">Why; none where it was only taken back.</param>
    /// <returns>The chunks that were never delivered.</returns>
    public IReadOnlyList<Chunk> Close(Exception? error)
    {
        BlobState before = State;
        State = BlobState.Closed;
        List<Chunk> undelivered = [.. Segments.SelectMany(segment => segment.Waiting)];
        Segments.Clear();
        _unclaimed.Clear();
        Unclaimed = 0;
        if (before == BlobState.Open && error is not null)
        {
            OnFailed?.Invoke(error);
        }

        return undelivered;
    }

    /// <summary>Begins to count hunger.</summary>
    public void Begin(long now) => _hungrySince = now;

    private void NoteHunger(long now)
    {
        if (Backlog == 0)
        {
            _hungry += now - _hungrySince;
            _hungrySince = now;
        }
    }
}
