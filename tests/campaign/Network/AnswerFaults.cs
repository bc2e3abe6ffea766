using System.Globalization;
using PSModel.Campaign.Checking;
using PSModel.Loopback;

namespace PSModel.Campaign.Network;

/// <summary>Makes a right answer a wrong one. For one thread at a time.</summary>
internal sealed class AnswerFaults(Random random, DeadHosts dead, Uri registry)
{
    private static readonly int[] Statuses = [400, 402, 403, 405, 406, 408, 409, 410, 416, 418, 423, 425, 429, 451, 500, 501, 502, 503, 504, 201, 204, 304, 300];

    public void Apply(FaultKind kind, LoopbackRequest request, LoopbackAnswer answer)
    {
        switch (kind)
        {
            case FaultKind.Cut:
                answer.CutAfter = SomewhereIn(answer);
                break;
            case FaultKind.Reset:
                answer.CutAfter = SomewhereIn(answer);
                answer.IsCutByReset = true;
                break;
            case FaultKind.HalfClosed:
                answer.CutAfter = SomewhereIn(answer);
                answer.IsHalfClosed = true;
                break;
            case FaultKind.HeadCut:
                answer.HeadCutAfter = random.Next(0, 60);
                answer.IsCutByReset = random.Next(2) == 0;
                break;
            case FaultKind.Stall:
                answer.StallAfter = SomewhereIn(answer);
                break;
            case FaultKind.Silent:
                answer.Delay = TimeSpan.FromMilliseconds(random.Next(100, 3000));
                break;
            case FaultKind.Slow:
                answer.SlowAfter = SomewhereIn(answer);
                answer.SlowBytesPerSecond = random.Next(200, 800) * 1000;
                break;
            case FaultKind.SlowStart:
                answer.Delay = TimeSpan.FromMilliseconds(random.Next(1, 200));
                break;
            case FaultKind.AnotherETag:
                answer.Headers["ETag"] = $"\"{random.Next()}\"";
                break;
            case FaultKind.FlippedBit:
                answer.FlipAt = answer.Start + SomewhereIn(answer);
                break;
            default:
                ApplyToHead(kind, request, answer);
                break;
        }
    }

    private void ApplyToHead(FaultKind kind, LoopbackRequest request, LoopbackAnswer answer)
    {
        switch (kind)
        {
            case FaultKind.Status:
                answer.Become(Statuses[random.Next(Statuses.Length)], "{\"errors\":[{\"code\":\"NO\"}]}", "application/json");
                break;
            case FaultKind.RetryAfter:
                answer.Become(random.Next(2) == 0 ? 429 : 503, "slow down");
                answer.Headers["Retry-After"] = random.Next(5) switch
                {
                    0 => "0",
                    1 => "-1",
                    2 => "soon",
                    3 => DateTime.UtcNow.AddSeconds(random.Next(-100, 2)).ToString("R", CultureInfo.InvariantCulture),
                    _ => "1",
                };
                break;
            case FaultKind.LongRetryAfter:
                answer.Become(503, "come back some day");
                answer.Headers["Retry-After"] = random.Next(2) == 0 ? "2" : "99999999999999999999";
                break;
            case FaultKind.NotFound:
                answer.Become(404, "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\"}]}", "application/json");
                break;
            case FaultKind.Unauthorized:
                answer.Become(401, string.Empty);
                answer.Headers["WWW-Authenticate"] = "Bearer realm=\"https://example.invalid/token\",service=\"x\"";
                break;
            case FaultKind.Html:
                answer.Become(200, "<html><body>Sign in, please.</body></html>", "text/html");
                break;
            case FaultKind.HtmlError:
                answer.Become(502, $"<html>{new string('x', random.Next(30_000))}</html>", "text/html");
                break;
            case FaultKind.RudeError:
                answer.Become(random.Next(2) == 0 ? 500 : 403, $"\u001b]0;owned\u0007\u001b[2J\r\nVerified\r\n{new string('!', 20_000)}");
                answer.Reason = $"No\u001b[31m{new string('?', 3000)}";
                break;
            case FaultKind.GarbageHead:
                answer.RawHead = random.Next(5) switch
                {
                    0 => "SSH-2.0-OpenSSH_9.2\r\n",
                    1 => "HTTP/1.1 999999 Huge\r\n\r\n",
                    2 => "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
                    3 => "HTTP/1.1 206 OK\r\nContent-Length: 99999999999999999999999\r\nContent-Range: bytes 5-2/x\r\n\r\n",
                    _ => "\0\0\0\0\u0015\u0003\u0001",
                };
                answer.CutAfter = SomewhereIn(answer);
                break;
            case FaultKind.HugeHead:
                answer.Headers["X-Huge"] = new string('h', 200_000);
                break;
            default:
                if (!ApplyToRange(kind, answer))
                {
                    ApplyToBody(kind, request, answer);
                }

                break;
        }
    }

    private bool ApplyToRange(FaultKind kind, LoopbackAnswer answer)
    {
        long total = answer.Content.Length;
        long last = answer.Start + answer.Length - 1;
        switch (kind)
        {
            case FaultKind.AnotherRange:
                answer.Status = 206;
                answer.Start = random.NextInt64(total + 1);
                answer.Length = random.NextInt64(total - answer.Start + 1);
                answer.Headers["Content-Range"] = $"bytes {answer.Start}-{answer.Start + answer.Length - 1}/{total}";
                return true;
            case FaultKind.LyingRange:
                // The header says what was asked for, and the bytes are others.
                answer.Start = random.NextInt64(total - answer.Length + 1);
                return true;
            case FaultKind.NoRange:
                answer.Status = 206;
                answer.Headers["Content-Range"] = null;
                return true;
            case FaultKind.OddRange:
                answer.Status = 206;
                answer.Headers["Content-Range"] = random.Next(4) switch
                {
                    0 => $"lines {answer.Start}-{last}/{total}",
                    1 => $"bytes */{total}",
                    2 => $"bytes {answer.Start}-{last}/*",
                    _ => "bytes 99999999999999999999-3/9",
                };
                return true;
            case FaultKind.WrongTotal:
                answer.Status = 206;
                answer.Headers["Content-Range"] = $"bytes {answer.Start}-{last}/{total + random.Next(-3, 4)}";
                return true;
            case FaultKind.WholeForRange:
                answer.SendWhole();
                return true;
            default:
                return false;
        }
    }

    private void ApplyToBody(FaultKind kind, LoopbackRequest request, LoopbackAnswer answer)
    {
        switch (kind)
        {
            case FaultKind.LongerLength:
                answer.ToldLength = answer.Length + random.Next(1, 5000);
                break;
            case FaultKind.ShorterLength:
                answer.ToldLength = Math.Max(0, answer.Length - random.Next(1, 5000));
                break;
            case FaultKind.NoLength:
                answer.IsLengthTold = false;
                break;
            case FaultKind.NoLengthCut:
                answer.IsLengthTold = false;
                answer.CutAfter = SomewhereIn(answer);
                break;
            case FaultKind.Compressed:
                answer.Headers["Content-Encoding"] = "gzip";
                break;
            case FaultKind.Trailing:
                answer.Trailing = new byte[random.Next(1, 2000)];
                random.NextBytes(answer.Trailing);
                break;
            case FaultKind.TrailingAnswer:
                answer.Trailing = [.. "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"u8];
                break;
            case FaultKind.Chunked:
                answer.IsChunked = true;
                break;
            case FaultKind.BrokenChunks:
                answer.IsChunked = answer.IsChunkingBroken = true;
                break;
            case FaultKind.Empty:
                answer.Length = 0;
                break;
            default:
                Redirect(kind, request, answer);
                break;
        }
    }

    private void Redirect(FaultKind kind, LoopbackRequest request, LoopbackAnswer answer)
    {
        string rest = $"/elsewhere/{random.Next()}/blobs/{request.Leaf}?sig={TextCheck.Secret}";
        string userInformation = random.Next(2) == 0 ? string.Empty : $"user:{TextCheck.Secret}@";
        string here = $"http://{userInformation}{registry.Authority}";
        string location = kind switch
        {
            FaultKind.RedirectMalformed => Malformed(),
            FaultKind.RedirectLoop => $"{here}{request.Path.Split('?')[0]}?sig={TextCheck.Secret}",
            FaultKind.RedirectAway => here + rest,
            FaultKind.RedirectExpired => $"{here}{rest}&holds={random.Next(1, 6)}",
            FaultKind.RedirectRefusing => $"http://{userInformation}{dead.Refusing}{rest}",
            FaultKind.RedirectSilent => $"http://{userInformation}{dead.Silent}{rest}",
            _ => $"http://{userInformation}192.0.2.1{rest}",
        };
        int[] statuses = [301, 302, 303, 307, 308];
        answer.RedirectTo(location, statuses[random.Next(statuses.Length)]);
    }

    private string Malformed()
    {
        string[] locations = ["//[", string.Empty, "http://", "http:///x", "//", "http://[::1", "ftp://example.invalid/x", "file:///etc/passwd", "javascript:alert(1)", "http://a:99999/x", "\0", "http://127.0.0.1:1/\u001b[31m", "?", "#", new string('a', 70_000)];
        return locations[random.Next(locations.Length)];
    }

    private long SomewhereIn(LoopbackAnswer answer) => random.Next(4) == 0 ? 0 : random.NextInt64(Math.Max(1, answer.Length));
}
