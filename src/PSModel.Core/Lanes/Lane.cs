using PSModel.Core.Buffers;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;
using PSModel.Core.Sources;

namespace PSModel.Core.Lanes;

/// <summary>
/// One connection at a time, on a thread that blocks in its reads: does what the schedule says, and reports what comes of it.
/// </summary>
/// <remarks>A read that blocks is ended by closing its response under it, which is what cancelling the attempt's token does
/// (<see cref="BodyStream"/>). Afterwards nothing more of that response is used.</remarks>
internal sealed class Lane : IDisposable
{
    /// <summary>A buffer is handed over after so many milliseconds, full or not; the rest of it is filled later.</summary>
    private const int LongestFill = 100;

    private readonly object _gate = new();
    private readonly SharedSchedule _shared;
    private readonly RateLimiter _limiter;
    private BlobFetch? _blob;
    private BlobStream? _stream;
    private CancellationTokenSource? _attempt;
    private SharedBuffer? _buffer;
    private int _filled;

    public Lane(SharedSchedule shared, RateLimiter limiter)
    {
        _shared = shared;
        _limiter = limiter;
        Schedule = new LaneSchedule(() => shared.InterruptLater(this)) { IsHeld = limiter.IsLimited };
    }

    /// <summary>What the schedule knows of it.</summary>
    public LaneSchedule Schedule { get; }

    /// <summary>Wakes it where it has no work.</summary>
    public Signal Idle { get; } = new();

    /// <summary>Whether it has no buffer with room left.</summary>
    public bool NeedsBuffer => _buffer is null;

    /// <summary>Fetches until the schedule says that it is no longer wanted.</summary>
    public void Run(CancellationToken stop)
    {
        while (true)
        {
            LaneTask? task = _shared.Next(this, _blob, out bool hasEnded);
            if (task is { } taken)
            {
                Attempt(taken, stop);
            }
            else if (hasEnded)
            {
                return;
            }
            else
            {
                Close();
            }
        }
    }

    /// <summary>What it reads is of no use any more: its connection is given up. From any thread.</summary>
    public void Interrupt()
    {
        lock (_gate)
        {
            _attempt?.Cancel();
        }
    }

    /// <summary>Gives up the buffer: what others need is not held while waiting.</summary>
    public void LetGoOfBuffer()
    {
        if (_buffer is not null)
        {
            _shared.LetGo(_buffer);
        }

        _buffer = null;
        _filled = 0;
    }

    /// <summary>Gives up connection and buffer.</summary>
    public void Dispose()
    {
        Close();
        LetGoOfBuffer();
    }

    /// <summary>Fetches what is missing of a segment, for as long as it is this lane's.</summary>
    private void Attempt(LaneTask task, CancellationToken stop)
    {
        try
        {
            Open(task, stop);
            bool isRangeIgnored = _stream!.Position < task.Frontier || (_stream.IsWholeOnly && !task.Blob.IsSmall);
            if (isRangeIgnored && !_shared.IgnoresRanges(this))
            {
                Close();
            }
            else
            {
                Copy(task.Blob);
            }

            _shared.Leave(this, task.Segment);
        }
        catch (OperationCanceledException)
        {
            Close();
            _shared.Leave(this, task.Segment);
        }
        catch (Exception e)
        {
            Close();
            _shared.Failed(this, task.Blob, e);
        }
        finally
        {
            LetGoOfBuffer();
        }
    }

    /// <summary>Keeps the connection where it has just come to the segment, or will since the server sends everything.</summary>
    private void Open(LaneTask task, CancellationToken stop)
    {
        bool isUsable = _blob == task.Blob && _attempt is { IsCancellationRequested: false };
        bool isThere = _stream is not null && (_stream.Position == task.Frontier || (task.Blob.IsSingle && _stream.Position < task.Frontier));
        if (!isUsable || !isThere || _stream!.Position == _stream.End)
        {
            Close();
            lock (_gate)
            {
                _attempt = CancellationTokenSource.CreateLinkedTokenSource(stop);
            }

            _blob = task.Blob;
            _stream = task.Blob.Source.Open(new ByteRange(task.Frontier, task.EndOfRequest), _attempt.Token);
            task.Blob.Meter.ConnectionOpened();
        }

        _shared.Opened(this);
    }

    private void Close()
    {
        lock (_gate)
        {
            if (_stream is not null)
            {
                _blob!.Meter.ConnectionClosed();
            }

            _stream?.Dispose();
            _stream = null;
            _blob = null;
            _attempt?.Dispose();
            _attempt = null;
        }
    }

    /// <summary>Copies until the segment is complete or no longer this lane's, or the server has sent what it promised.</summary>
    private void Copy(BlobFetch blob)
    {
        BlobStream stream = _stream!;
        while (stream.Position != stream.End && _shared.WaitForRoom(this, _attempt!.Token) is { } end)
        {
            _buffer ??= SharedSchedule.Rent();
            long position = stream.Position;
            int start = _filled;
            int wanted = (int)Math.Min(_buffer.Bytes.Length - start, end - position);
            Exception? failure = Fill(blob, stream, start + Math.Max(wanted, 0));
            blob.Meter.Accept(_shared.Received(this, _buffer, start, position, _filled - start));
            blob.AfterBytes?.Invoke();
            if (_filled == _buffer.Bytes.Length)
            {
                LetGoOfBuffer();
            }

            if (failure is not null)
            {
                throw failure;
            }

            if (wanted <= 0)
            {
                // The segment was cut in two under the read, and the rest of the answer is somebody else's.
                Close();
                return;
            }
        }

        if (stream.Position == stream.End)
        {
            Close();
        }
    }

    /// <summary>Fills the buffer; what came before a failure counts all the same.</summary>
    private Exception? Fill(BlobFetch blob, BlobStream stream, int until)
    {
        int begun = Environment.TickCount;
        try
        {
            while (_filled < until && unchecked(Environment.TickCount - begun) < LongestFill)
            {
                int read = _limiter.Read(stream, _buffer!.Bytes, _filled, until - _filled, _attempt!.Token);
                if (read == 0)
                {
                    throw EndedEarly(blob, stream.Position);
                }

                _filled += read;
                blob.Meter.Receive(read);
                if (stream.End is null && stream.Position == blob.Size)
                {
                    RefuseMore(blob, stream);
                }
            }

            return null;
        }
        catch (ModelFaultException e) when (!e.IsTransient)
        {
            // Bytes that came with it are not to be trusted.
            throw;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>A body of unknown length shows only at its end that it is too long.</summary>
    private static void RefuseMore(BlobFetch blob, BlobStream stream)
    {
        byte[] extra = new byte[1];
        if (stream.Read(extra, 0, extra.Length) > 0)
        {
            throw WrongSize(blob, $"more than {ByteText.Exact(blob.Size)}", blob.Size + 1, isTransient: false);
        }
    }

    private static ModelFaultException EndedEarly(BlobFetch blob, long position) => WrongSize(blob, ByteText.Exact(position), position, isTransient: true);

    private static ModelFaultException WrongSize(BlobFetch blob, string sent, long actual, bool isTransient) => new(
        ModelFault.SizeMismatch,
        $"The registry sent {sent} for {blob.Digest}, and the manifest names {ByteText.Exact(blob.Size)}.",
        new FaultFacts { Digest = blob.Digest.ToString(), ExpectedSize = blob.Size, ActualSize = actual })
    {
        IsTransient = isTransient,
    };
}
