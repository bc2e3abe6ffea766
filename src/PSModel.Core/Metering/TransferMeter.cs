namespace PSModel.Core.Metering;

/// <summary>
/// What a blob's transfer has done so far. The transfer counts up and anybody may read at any time: reading costs the
/// transfer nothing. Thread-safe.
/// </summary>
public sealed class TransferMeter
{
    private long _received;
    private long _sent;
    private long _accepted;
    private long _discarded;
    private long _most;
    private long _resumed;
    private long _verified;
    private int _retries;
    private int _connections;
    private int _phase;
    private long _serverWait;
    private int _waitsForOther;

    /// <summary>Makes a meter for a blob of so many bytes.</summary>
    public TransferMeter(long totalBytes) => TotalBytes = totalBytes;

    /// <summary>The blob's size in bytes.</summary>
    public long TotalBytes { get; }

    /// <summary>What is being done.</summary>
    public TransferPhase Phase
    {
        get => (TransferPhase)Volatile.Read(ref _phase);
        internal set => Volatile.Write(ref _phase, (int)value);
    }

    /// <summary>The bytes of the blob that are where they are to be, those of earlier calls included. Never goes down.</summary>
    public long BytesTransferred
    {
        get
        {
            long now = BytesResumed + Interlocked.Read(ref _accepted) - Interlocked.Read(ref _discarded);
            long most = Interlocked.Read(ref _most);
            while (now > most)
            {
                long seen = Interlocked.CompareExchange(ref _most, now, most);
                if (seen == most)
                {
                    return now;
                }

                most = seen;
            }

            return most;
        }
    }

    /// <summary>The bytes that came over the wire in this call, those that were of no use included.</summary>
    public long BytesReceived => Interlocked.Read(ref _received);

    /// <summary>The bytes that went over the wire, or into a folder, in this call, those that were sent in vain included.</summary>
    public long BytesSent => Interlocked.Read(ref _sent);

    /// <summary>The bytes kept from earlier calls.</summary>
    public long BytesResumed
    {
        get => Interlocked.Read(ref _resumed);
        internal set => Interlocked.Exchange(ref _resumed, value);
    }

    /// <summary>The bytes that the reading of the file underway has read back so far.</summary>
    public long BytesVerified => Interlocked.Read(ref _verified);

    /// <summary>The requests that had to be repeated.</summary>
    public int RetryCount => Volatile.Read(ref _retries);

    /// <summary>The connections open at this moment.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Whether another process fetches the blob, and this transfer waits for its end.</summary>
    public bool IsWaitingForOther
    {
        get => Volatile.Read(ref _waitsForOther) != 0;
        internal set => Volatile.Write(ref _waitsForOther, value ? 1 : 0);
    }

    /// <summary>The moment, in UTC, until which the server wants to be left alone; the past where it said nothing.</summary>
    public DateTime ServerWaitEnd => new(Interlocked.Read(ref _serverWait), DateTimeKind.Utc);

    internal void ServerWait(TimeSpan? time)
    {
        if (time is { } wait)
        {
            Interlocked.Exchange(ref _serverWait, (DateTime.UtcNow + wait).Ticks);
        }
    }

    internal void Receive(int bytes) => Interlocked.Add(ref _received, bytes);

    internal void Send(int bytes)
    {
        Interlocked.Add(ref _sent, bytes);
        Interlocked.Add(ref _accepted, bytes);
    }

    /// <summary>Of what was sent, in earlier calls as well, so much has arrived.</summary>
    internal void Reach(long bytes)
    {
        _ = BytesTransferred;
        Interlocked.Exchange(ref _accepted, bytes - BytesResumed);
    }

    internal void Accept(int bytes) => Interlocked.Add(ref _accepted, bytes);

    /// <summary>What is here turned out to be of no use, and the blob is fetched from its beginning.</summary>
    internal void StartOver()
    {
        _ = BytesTransferred;
        BytesResumed = 0;
        Interlocked.Exchange(ref _discarded, Interlocked.Read(ref _accepted));
    }

    /// <summary>The file is read once more from its beginning.</summary>
    internal void BeginVerify() => Interlocked.Exchange(ref _verified, 0);

    internal void Verify(int bytes) => Interlocked.Add(ref _verified, bytes);

    internal void CountRetry() => Interlocked.Increment(ref _retries);

    internal void ConnectionOpened() => Interlocked.Increment(ref _connections);

    internal void ConnectionClosed() => Interlocked.Decrement(ref _connections);
}
