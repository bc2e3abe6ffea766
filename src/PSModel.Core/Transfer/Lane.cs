using System.Runtime.ExceptionServices;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Transfer;

/// <summary>
/// One connection at a time: claims segments, fetches them, and goes on from the byte reached where a connection is lost.
/// </summary>
internal sealed class Lane(TransferContext context, ReceiveWindow window, LaneCount lanes) : IDisposable
{
    /// <summary>A connection that brings less than this before it is cut is no reason to ask again at once.</summary>
    public const int WorthwhileBytes = 64 * 1024;

    /// <summary>On a slow connection a buffer is handed over after so many milliseconds, full or not.</summary>
    private const int LongestFill = 250;

    private readonly object _gate = new();
    private BlobStream? _stream;
    private CancellationTokenSource? _interruption;

    /// <summary>Fetches until nothing is left, or until there are more lanes than there should be.</summary>
    /// <exception cref="ModelFaultException">The retries are used up, or there is no point in any.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        bool isNeeded = true;
        while (isNeeded && !lanes.TryRetire())
        {
            if (window.Claim(this, lanes, cancellationToken) is not { } segment)
            {
                return;
            }

            try
            {
                isNeeded = Fetch(segment, cancellationToken);
            }
            finally
            {
                window.Leave(this, segment);
            }
        }
    }

    /// <summary>Another lane has brought what this one is fetching: its connection is given up. From any thread.</summary>
    public void Interrupt()
    {
        lock (_gate)
        {
            _interruption?.Cancel();
        }
    }

    public void Dispose() => Close();

    /// <summary>Fetches what is missing of the segment; false where this lane turns out to be of no use.</summary>
    private bool Fetch(Segment segment, CancellationToken cancellationToken)
    {
        bool isNeeded = true;
        while (isNeeded && !window.IsDone(segment))
        {
            isNeeded = context.Retries.Run(
                token => Attempt(segment, token),
                context.Meter.CountRetry,
                cancellationToken);
        }

        return isNeeded;
    }

    /// <summary>Fetches over one connection. An attempt that brought bytes before it failed is no failure: the count of
    /// retries begins anew.</summary>
    private bool Attempt(Segment segment, CancellationToken cancellationToken)
    {
        long before = window.FrontierOf(segment);
        try
        {
            Open(segment, before, cancellationToken);
            bool isRangeIgnored = _stream!.Position < before;
            if (isRangeIgnored && lanes.RetireForGood())
            {
                Close();
                return false;
            }

            Copy(segment);
            return true;
        }
        catch (Exception e)
        {
            Close();
            if (window.IsDone(segment) && !cancellationToken.IsCancellationRequested)
            {
                return true;
            }

            long gained = window.FrontierOf(segment) - before;
            if (gained == 0 && e is ModelFaultException { Facts.StatusCode: not null } && lanes.RetireRefused())
            {
                context.Trace($"{e.Message} Going on with the connections that there are.");
                return false;
            }

            if (e is not ModelFaultException { IsTransient: true } || gained == 0)
            {
                throw;
            }

            context.Meter.CountRetry();
            context.Trace($"{e.Message} Going on from byte {before + gained}.");
            if (gained < WorthwhileBytes)
            {
                context.Retries.Pause(cancellationToken);
            }

            return true;
        }
    }

    /// <summary>Keeps the connection where it has just come to the segment, else opens one.</summary>
    private void Open(Segment segment, long frontier, CancellationToken cancellationToken)
    {
        bool isUsable = _interruption is { IsCancellationRequested: false };
        if (isUsable && _stream is not null && _stream.Position == frontier && _stream.End != frontier)
        {
            return;
        }

        Close();
        lock (_gate)
        {
            _interruption = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        }

        // A lane alone asks for all the rest: one request for the whole blob.
        long end = lanes.IsAlone ? context.Size : segment.End;
        _stream = context.Source.Open(new ByteRange(frontier, end), _interruption.Token);
        context.Meter.ConnectionOpened();
    }

    private void Close()
    {
        lock (_gate)
        {
            if (_stream is not null)
            {
                context.Meter.ConnectionClosed();
            }

            _stream?.Dispose();
            _stream = null;
            _interruption?.Dispose();
            _interruption = null;
        }
    }

    /// <summary>Copies until the segment is complete or the server has sent what it promised.</summary>
    private void Copy(Segment segment)
    {
        BlobStream stream = _stream!;
        while (!window.IsDone(segment))
        {
            if (stream.Position == stream.End)
            {
                Close();
                return;
            }

            window.WaitForRoom(segment, _interruption!.Token);
            byte[] buffer = context.Buffers.Rent();
            long position = stream.Position;
            int wanted = (int)Math.Min(buffer.Length, segment.End - position);
            (int filled, ExceptionDispatchInfo? failure) = Fill(stream, buffer, wanted);

            int useful = window.Offer(this, segment, position, buffer, filled);
            context.Meter.Accept(useful);
            if (useful == 0)
            {
                context.Buffers.Return(buffer);
            }

            failure?.Throw();
        }
    }

    /// <summary>Fills the buffer; what came before a transient failure is given together with it.</summary>
    private (int Filled, ExceptionDispatchInfo? Failure) Fill(BlobStream stream, byte[] buffer, int wanted)
    {
        int filled = 0;
        int begun = Environment.TickCount;
        try
        {
            while (filled < wanted && unchecked(Environment.TickCount - begun) < LongestFill)
            {
                int read = context.Limiter.Read(stream, buffer, filled, wanted - filled, _interruption!.Token);
                if (read == 0)
                {
                    throw EndedEarly(stream.Position);
                }

                filled += read;
                context.Meter.Receive(read);
                if (stream.End is null && stream.Position == context.Size)
                {
                    RefuseMore(stream);
                }
            }

            return (filled, null);
        }
        catch (Exception e) when (e is not ModelFaultException { IsTransient: false })
        {
            return (filled, ExceptionDispatchInfo.Capture(e));
        }
    }

    /// <summary>A body of unknown length shows only at its end that it is too long.</summary>
    private void RefuseMore(BlobStream stream)
    {
        byte[] extra = new byte[1];
        if (stream.Read(extra, 0, extra.Length) > 0)
        {
            throw WrongSize($"more than {context.Size} bytes", context.Size + 1, isTransient: false);
        }
    }

    private ModelFaultException EndedEarly(long position) => WrongSize($"{position} bytes", position, isTransient: true);

    private ModelFaultException WrongSize(string sent, long actual, bool isTransient) => new(
        ModelFault.SizeMismatch,
        $"The registry sent {sent} for {context.Digest}, and the manifest names {context.Size}.",
        new FaultFacts { Digest = context.Digest.ToString(), ExpectedSize = context.Size, ActualSize = actual })
    {
        IsTransient = isTransient,
    };
}
