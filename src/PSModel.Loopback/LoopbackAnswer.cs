using System.Globalization;
using System.Text;

namespace PSModel.Loopback;

/// <summary>
/// What the registry answers, and how it misbehaves in doing so. The properties begin as those of a right answer; a fault
/// changes them.
/// </summary>
public sealed class LoopbackAnswer
{
    /// <summary>The status code.</summary>
    public int Status { get; set; } = 200;

    /// <summary>The words after the status code.</summary>
    public string Reason { get; set; } = "Answer";

    /// <summary>Sent in place of the status and the headers, whatever it is.</summary>
    public string? RawHead { get; set; }

    /// <summary>Close the connection after so many bytes of the status and the headers.</summary>
    public int? HeadCutAfter { get; set; }

    /// <summary>The headers; a value of <see langword="null"/> leaves one out.</summary>
    public Dictionary<string, string?> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The body's bytes.</summary>
    public BlobContent Content { get; set; } = BlobContent.Of([]);

    /// <summary>The offset in <see cref="Content"/> at which the body begins.</summary>
    public long Start { get; set; }

    /// <summary>How many bytes the body has.</summary>
    public long Length { get; set; }

    /// <summary>Whether the length is told; if not, the body ends with the connection.</summary>
    public bool IsLengthTold { get; set; } = true;

    /// <summary>Tell this length in place of that of the body.</summary>
    public long? ToldLength { get; set; }

    /// <summary>Send the body in chunks of HTTP, each with its length before it.</summary>
    public bool IsChunked { get; set; }

    /// <summary>End the chunks with one whose length is no number.</summary>
    public bool IsChunkingBroken { get; set; }

    /// <summary>Bytes that follow the body and belong to no answer.</summary>
    public byte[] Trailing { get; set; } = [];

    /// <summary>Close the connection after so many bytes of the body.</summary>
    public long? CutAfter { get; set; }

    /// <summary>Cut by a reset, which takes with it what the other side has not read yet.</summary>
    public bool IsCutByReset { get; set; }

    /// <summary>Cut the sending half of the connection alone, and go on listening.</summary>
    public bool IsHalfClosed { get; set; }

    /// <summary>Fall silent, with the connection open, after so many bytes of the body.</summary>
    public long? StallAfter { get; set; }

    /// <summary>Send other bits in place of the byte at this offset of the blob.</summary>
    public long? FlipAt { get; set; }

    /// <summary>Bytes a second; 0 for no limit.</summary>
    public long BytesPerSecond { get; set; }

    /// <summary>Go on at <see cref="SlowBytesPerSecond"/> after so many bytes of the body.</summary>
    public long? SlowAfter { get; set; }

    /// <summary>Bytes a second from <see cref="SlowAfter"/> on.</summary>
    public long SlowBytesPerSecond { get; set; }

    /// <summary>Wait before the first byte.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Makes the answer a text of its own.</summary>
    public void Become(int status, string text, string contentType = "text/plain")
    {
        Status = status;
        Headers.Clear();
        Headers["Content-Type"] = contentType;
        Content = BlobContent.Of(Encoding.UTF8.GetBytes(text));
        Start = 0;
        Length = Content.Length;
    }

    /// <summary>Makes the answer a redirect.</summary>
    public void RedirectTo(string location, int status = 307)
    {
        Become(status, string.Empty);
        Headers["Location"] = location;
    }

    /// <summary>Ignores the range that was asked for.</summary>
    public void SendWhole()
    {
        Status = 200;
        Headers.Remove("Content-Range");
        Start = 0;
        Length = Content.Length;
    }

    internal long RateAfter(long sent) => sent >= SlowAfter ? SlowBytesPerSecond : BytesPerSecond;

    internal string Head()
    {
        if (RawHead is not null)
        {
            return RawHead;
        }

        StringBuilder head = new();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} {Reason}\r\n");
        if (IsChunked)
        {
            head.Append("Transfer-Encoding: chunked\r\n");
        }
        else if (IsLengthTold)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {ToldLength ?? Length}\r\n");
        }
        else
        {
            head.Append("Connection: close\r\n");
        }

        foreach ((string name, string? value) in Headers)
        {
            if (value is not null)
            {
                head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
            }
        }

        return head.Append("\r\n").ToString();
    }
}
