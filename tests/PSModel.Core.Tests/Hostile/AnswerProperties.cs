using System.Collections.Concurrent;
using System.Text;
using CsCheck;
using PSModel.Core.Faults;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Answers that a server made up: status lines, headers, redirects and bodies.</summary>
public sealed class AnswerProperties
{
    private static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "latest", 1_500_000);

    private static readonly Gen<string> Status = Gen.Frequency(
        (8, Gen.Select(Fuzz.OneOf("200", "206", "301", "302", "307", "308", "400", "401", "403", "404", "410", "416", "429", "500", "503"), Fuzz.Text)
            .Select(parts => $"HTTP/1.1 {parts.Item1} {parts.Item2}")),
        (1, Gen.Select(Fuzz.Number, Fuzz.Text).Select(parts => $"HTTP/1.1 {parts.Item1} {parts.Item2}")),
        (1, Fuzz.Text));

    private static readonly Gen<string> Location = Gen.OneOf(
        Fuzz.Text,
        Fuzz.Text.Select(text => $"/v2/{text}"),
        Fuzz.OneOf("", ".", "/", "//", "///", "?", "#", "//[", "http://[", "https:", "http:", "http:///", "http://host:port/", "\\\\host\\share", "/v2/library/demo/manifests/latest?sig=s3cret", "https://127.0.0.1:1/", "https://me:s3cret@127.0.0.1:1/?s3cret", "http://10.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "data:,x", "http://127.0.0.1:99999/", "https://[fe80::1%25eth0]:1/"));

    /// <summary>A server that asks to be left alone for an hour is, so no such text is made up here.</summary>
    private static readonly Gen<string> Header = Gen.OneOf(
        Gen.Select(Fuzz.OneOf("Content-Length", "Content-Range", "ETag", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Date", "Www-Authenticate"), Fuzz.Text)
            .Select(parts => $"{parts.Item1}: {parts.Item2}"),
        Location.Select(to => $"Location: {to}"),
        Fuzz.Number.Select(number => $"Content-Length: {number}"),
        Gen.Select(Fuzz.Number, Fuzz.Number, Fuzz.Number).Select(parts => $"Content-Range: bytes {parts.Item1}-{parts.Item2}/{parts.Item3}"),
        Fuzz.OneOf("bytes 0-1499999/1500000", "bytes 0-0/1500000", "bytes 0-1499999/*", "bytes */1500000", "chars 0-1/2").Select(range => $"Content-Range: {range}"),
        Fuzz.OneOf("Retry-After: 0", "Retry-After: -1", "Retry-After: 99999999999999999999", "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT", "Transfer-Encoding: chunked", "Content-Encoding: gzip", "Content-Type: text/html", "Connection: keep-alive"),
        Fuzz.Text);

    private static readonly Gen<byte[]> Body = Gen.OneOf(
        Gen.Const(Array.Empty<byte>()),
        Fuzz.Text.Select(Encoding.UTF8.GetBytes),
        Gen.Byte.Array[0, 2000],
        Fuzz.Damaged(Model.Manifest),
        Gen.Const(Encoding.ASCII.GetBytes("5\r\nhello\r\nfffffffffffffff\r\n")));

    private static readonly Gen<byte[]> Answer =
        Gen.Select(Status, Header.Array[0, 6], Body).Select(parts =>
            (byte[])[.. Encoding.UTF8.GetBytes($"{string.Join("\r\n", (IEnumerable<string>)[parts.Item1, .. parts.Item2])}\r\n\r\n"), .. parts.Item3]);

    /// <summary>The first answers of a server; those that are <see langword="null"/>, and all later ones, are right.</summary>
    private static readonly Gen<byte[]?[]> Answers = Gen.Frequency((3, Answer.Select(answer => (byte[]?)answer)), (1, Gen.Const((byte[]?)null))).Array[1, 6];

    [Fact]
    public void Any_answers() => Answers.Sample(CheckSave, iter: Fuzz.Cases / 2, print: answers => string.Join("\n", answers.Select(answer => answer is null ? "-" : Fuzz.Print(answer))));

    private static void CheckSave(byte[]?[] answers)
    {
        ConcurrentQueue<byte[]?> left = new(answers);
        using RawServer server = new(path => [left.TryDequeue(out byte[]? answer) && answer is not null ? answer : Right(path)]);
        using TemporaryFolder folder = new();
        HostileSave first = new(folder.Path);
        first.RunAsync(server.Address).GetAwaiter().GetResult();

        // Once the server is right, whatever it did before does no harm: what could have been bytes of a blob was kept, and at the
        // latest the digest of all finds it out.
        left.Clear();
        HostileSave second = new(folder.Path);
        second.RunAsync(server.Address).GetAwaiter().GetResult();
        Assert.All(second.Faults, fault => Assert.Equal(ModelFault.DigestMismatch, Assert.IsType<ModelFaultException>(fault).Fault));
        HostileSave third = new(folder.Path);
        third.RunAsync(server.Address).GetAwaiter().GetResult();
        Assert.Empty(third.Faults);
    }

    private static byte[] Right(string path)
    {
        string leaf = path.Split('?')[0].Split('/')[^1];
        byte[]? body = path.Contains("/manifests/", StringComparison.Ordinal) ? Model.Manifest : Model.Blobs.FirstOrDefault(blob => blob.Digest == leaf)?.Piece(0, long.MaxValue).ToArray();
        return body is null
            ? Encoding.ASCII.GetBytes("HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n")
            : [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
    }
}
