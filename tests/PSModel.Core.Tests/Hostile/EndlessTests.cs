using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Answers that never end, or hardly begin: time and memory are bounded.</summary>
public sealed class EndlessTests
{
    /// <summary>What is read of an answer, and what the system's buffers take besides.</summary>
    private const long Longest = 32 * 1024 * 1024;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", ModelFault.ManifestInvalid)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", ModelFault.ManifestInvalid)]
    [InlineData("HTTP/1.1 400 Bad\r\n\r\n", ModelFault.UnexpectedStatus)]
    [InlineData("HTTP/1.1 400 Bad\r\nContent-Length: 1000000000\r\n\r\n", ModelFault.UnexpectedStatus)]
    [InlineData("HTTP/1.1 404 None\r\nContent-Length: 1000000000\r\n\r\n", ModelFault.ManifestNotFound)]
    [InlineData("HTTP/1.1 401 Who\r\nContent-Length: 1000000000\r\n\r\n", ModelFault.AuthenticationFailed)]
    [InlineData("HTTP/1.1 307 Moved\r\nLocation: ftp://x/\r\nContent-Length: 1000000000\r\n\r\n", ModelFault.UntrustedRedirect)]
    [InlineData("HTTP/1.1 200 OK\r\nX: ", ModelFault.RegistryUnreachable)]
    [InlineData("HTTP/1.1 200 ", ModelFault.RegistryUnreachable)]
    [InlineData("", ModelFault.RegistryUnreachable)]
    public void An_endless_answer(string head, ModelFault expected) => Refuse(head, new string('x', 64 * 1024), expected);

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", "X: y\r\n")]
    [InlineData("", "HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;")]
    public void Endless_heads(string head, string more) =>
        Refuse(head, string.Concat(Enumerable.Repeat(more, 8_000)), ModelFault.RegistryUnreachable);

    [Fact]
    public void A_manifest_that_only_trickles_is_given_up()
    {
        // A byte comes often enough for the bound on silence, and 4 MiB of them would take for years.
        using SemaphoreSlim pace = new(0);
        IEnumerable<byte[]> Trickle()
        {
            yield return Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n\r\n");
            while (true)
            {
                pace.Wait(TimeSpan.FromMilliseconds(100));
                yield return [(byte)' '];
            }
        }

        using RawServer server = new(_ => Trickle());
        Assert.Equal(ModelFault.TransferStalled, Get(server).Fault);
    }

    private static void Refuse(string head, string piece, ModelFault expected)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(piece);
        IEnumerable<byte[]> Endless()
        {
            yield return Encoding.ASCII.GetBytes(head);
            while (true)
            {
                yield return bytes;
            }
        }

        using RawServer server = new(_ => Endless());
        long before = GC.GetTotalAllocatedBytes();
        ModelFaultException fault = Get(server);
        Assert.Equal(expected, fault.Fault);
        Shown.IsPlain(fault);
        Assert.InRange(server.BytesSent, 0, Longest);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 8 * Longest);
    }

    private static ModelFaultException Get(RawServer server)
    {
        RegistryOptions options = new()
        {
            Registries = [server.Address],
            MaximumRetryCount = 0,
            ConnectionTimeout = TimeSpan.FromSeconds(3),
            OperationTimeout = TimeSpan.FromSeconds(1),
        };
        using RegistryClient client = new(options);
        return Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse("demo"), CancellationToken.None));
    }
}
