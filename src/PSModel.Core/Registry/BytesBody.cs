namespace PSModel.Core.Registry;

/// <summary>A body whose bytes are all here. For one request at a time.</summary>
internal sealed class BytesBody(byte[] bytes, string mediaType) : HttpBody
{
    /// <summary>The type of bytes of whatever kind.</summary>
    public const string AnyType = "application/octet-stream";

    /// <summary>Of a request that sends nothing, and says so.</summary>
    public static HttpBody Empty => new BytesBody([], AnyType);

    public override long Length => bytes.Length;

    public override string MediaType => mediaType;

    protected override void WriteTo(Action<byte[], int, int> write, CancellationToken cancellationToken)
    {
        if (bytes.Length > 0)
        {
            write(bytes, 0, bytes.Length);
        }
    }
}
