using System.Net;
using System.Net.Http;

namespace PSModel.Core.Registry;

/// <summary>Hands a body to an HTTP handler, a piece at a time, and bounds how long the peer may take for one. For one message.</summary>
internal sealed class BodyContent : HttpContent
{
    /// <summary>A peer of four kilobytes a second takes this much within the usual 30 seconds.</summary>
    private const int LongestPiece = 128 * 1024;

    private readonly HttpBody _body;
    private readonly RequestPatience _patience;

    public BodyContent(HttpBody body, RequestPatience patience)
    {
        _body = body;
        _patience = patience;
        Headers.TryAddWithoutValidation("Content-Type", body.MediaType);
        if (body.Range is { } range)
        {
            // The distribution specification has it without a unit, which .NET's own type demands.
            Headers.TryAddWithoutValidation("Content-Range", range);
        }
    }

#if NET
    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) => Send(stream);
#endif

    /// <summary>Blocks its caller, who asked for a blocking request.</summary>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        Send(stream);
        return Task.CompletedTask;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }

    private void Send(Stream stream)
    {
        _patience.BodyBegins();
        try
        {
            _body.Send(
                (bytes, offset, count) =>
                {
                    for (int sent = 0; sent < count; sent += LongestPiece)
                    {
                        int from = offset + sent;
                        int length = Math.Min(LongestPiece, count - sent);
                        _patience.Send(() => stream.Write(bytes, from, length));
                    }
                },
                _patience.Token);
        }
        finally
        {
            _patience.BodyEnds();
        }
    }
}
