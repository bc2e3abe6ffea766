using System.Net.Sockets;
using System.Text;

namespace PSModel.Loopback;

/// <summary>One connection to the registry, request after request.</summary>
internal sealed class LoopbackConnection(LoopbackRegistry registry, Socket socket, int number)
{
    private const int LongestHead = 32 * 1024;
    private const int SendSize = 1024 * 1024;

    public async Task ServeAsync(CancellationToken cancellationToken)
    {
        using (socket)
        {
            try
            {
                socket.NoDelay = true;
                if (registry.Refuses?.Invoke(number) == true)
                {
                    socket.LingerState = new LingerOption(true, 0);
                    return;
                }

                while (await ReadHeadAsync(cancellationToken) is { } head)
                {
                    LoopbackRequest request = Parse(head);
                    LoopbackAnswer answer = registry.Answer(request);
                    if (!await SendAsync(request, answer, cancellationToken))
                    {
                        return;
                    }
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side has gone, or the registry is being closed.
            }
        }
    }

    private async Task<string?> ReadHeadAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[LongestHead];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                return null;
            }

            length += read;
            if (buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
            {
                return Encoding.ASCII.GetString(buffer, 0, length);
            }
        }

        return null;
    }

    private LoopbackRequest Parse(string head)
    {
        string[] lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Dictionary<string, string> headers = [];
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon].ToLowerInvariant()] = line[(colon + 1)..].Trim();
        }

        return registry.Note(lines[0].Split(' ')[1], headers, number);
    }

    /// <summary>Sends the answer; false where the connection ends with it.</summary>
    private async Task<bool> SendAsync(LoopbackRequest request, LoopbackAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.Delay > TimeSpan.Zero)
        {
            await Task.Delay(answer.Delay, cancellationToken);
        }

        byte[] head = Encoding.Latin1.GetBytes(answer.Head());
        if (answer.HeadCutAfter < head.Length)
        {
            await socket.SendAsync(head.AsMemory(0, answer.HeadCutAfter.Value), cancellationToken);
            return await CutAsync(answer, cancellationToken);
        }

        await socket.SendAsync(head, cancellationToken);
        LoopbackPace pace = new();
        long sent = 0;
        while (sent < answer.Length)
        {
            if (sent == answer.CutAfter)
            {
                return await CutAsync(answer, cancellationToken);
            }

            if (sent == answer.StallAfter)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            ReadOnlyMemory<byte> piece = Next(answer, sent);
            if (piece.IsEmpty)
            {
                return false;
            }

            long rate = answer.RateAfter(sent);
            int count = answer.IsChunked ? await SendChunkAsync(piece, cancellationToken) : await socket.SendAsync(piece, cancellationToken);
            sent += count;
            registry.Count(request, count);
            await pace.WaitAsync(count, rate, cancellationToken);
        }

        if (answer.IsChunked)
        {
            await socket.SendAsync(answer.IsChunkingBroken ? "long\r\n"u8.ToArray() : "0\r\n\r\n"u8.ToArray(), cancellationToken);
        }

        if (answer.Trailing.Length > 0)
        {
            await socket.SendAsync(answer.Trailing, cancellationToken);
        }

        return (answer.IsLengthTold || answer.IsChunked) && !(answer.ToldLength > answer.Length);
    }

    private async Task<int> SendChunkAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken)
    {
        byte[] chunk = [.. Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), .. piece.Span, .. "\r\n"u8];
        await socket.SendAsync(chunk, cancellationToken);
        return piece.Length;
    }

    /// <summary>Ends the connection, or its half.</summary>
    private async Task<bool> CutAsync(LoopbackAnswer answer, CancellationToken cancellationToken)
    {
        if (answer.IsHalfClosed)
        {
            socket.Shutdown(SocketShutdown.Send);
            byte[] ignored = new byte[LongestHead];
            while (await socket.ReceiveAsync(ignored, cancellationToken) > 0)
            {
                // Whatever it is, nobody answers it.
            }

            return false;
        }

        // Lingering for no time makes the close a reset.
        socket.LingerState = new LingerOption(answer.IsCutByReset, 0);
        return false;
    }

    private static ReadOnlyMemory<byte> Next(LoopbackAnswer answer, long sent)
    {
        long longest = Math.Min(SendSize, answer.Length - sent);
        longest = Math.Min(longest, StepsUntil(answer.CutAfter, sent));
        longest = Math.Min(longest, StepsUntil(answer.StallAfter, sent));
        longest = Math.Min(longest, StepsUntil(answer.SlowAfter, sent));
        longest = Math.Min(longest, LoopbackPace.Step(answer.RateAfter(sent)));

        long offset = answer.Start + sent;
        ReadOnlyMemory<byte> piece = answer.Content.Piece(offset, longest);
        if (answer.FlipAt is { } flip && flip >= offset && flip < offset + piece.Length)
        {
            byte[] copy = piece.ToArray();
            copy[(int)(flip - offset)] ^= 0x10;
            return copy;
        }

        return piece;
    }

    private static long StepsUntil(long? stop, long sent) => stop > sent ? stop.Value - sent : long.MaxValue;
}
