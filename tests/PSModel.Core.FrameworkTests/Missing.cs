using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace PSModel;

/// <summary>What the tests and their registry use of .NET, and neither .NET Framework nor the Polyfill package has.</summary>
internal static class Missing
{
    public static string Replace(this string text, string from, string to, StringComparison comparison) =>
        comparison == StringComparison.Ordinal ? text.Replace(from, to) : throw new NotSupportedException();

    public static StringBuilder Append(this StringBuilder builder, IFormatProvider provider, FormattableString text) =>
        builder.Append(text.ToString(provider));

    public static void AppendData(this IncrementalHash hash, ReadOnlySpan<byte> bytes) => hash.AppendData(bytes.ToArray());

    public static void Dispose(this TcpListener listener) => listener.Stop();

    public static async Task<Socket> AcceptSocketAsync(this TcpListener listener, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration closing = cancellationToken.Register(listener.Stop);
        return await listener.AcceptSocketAsync();
    }

    public static async Task<int> ReceiveAsync(this Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration closing = cancellationToken.Register(socket.Dispose);
        return await socket.ReceiveAsync(Segment(buffer), SocketFlags.None);
    }

    public static async Task<int> SendAsync(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration closing = cancellationToken.Register(socket.Dispose);
        return await socket.SendAsync(Segment(bytes), SocketFlags.None);
    }

    private static ArraySegment<byte> Segment(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment) ? segment : throw new NotSupportedException();
}
