using System.Globalization;
using PSModel.Core.Metering;
using PSModel.Core.Registry;

namespace PSModel.Core.Publishing;

/// <summary>A part of a blob's file as the body of a request. For one request at a time.</summary>
/// <param name="file">The file.</param>
/// <param name="start">The offset of the part's first byte.</param>
/// <param name="end">The offset behind its last.</param>
/// <param name="meter">Told of what is sent.</param>
internal sealed class ChunkBody(HashedFile file, long start, long end, TransferMeter meter) : HttpBody
{
    public override long Length => end - start;

    public override string MediaType => BytesBody.AnyType;

    public override string Range => string.Format(CultureInfo.InvariantCulture, "{0}-{1}", start, end - 1);

    public override bool AsksFirst => true;

    protected override void WriteTo(Action<byte[], int, int> write, CancellationToken cancellationToken)
    {
        file.MoveTo(start, cancellationToken);
        meter.Reach(start);
        file.ReadTo(
            end,
            (piece, offset, count) =>
            {
                write(piece, offset, count);
                meter.Send(count);
            },
            cancellationToken);
    }
}
