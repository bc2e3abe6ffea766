namespace PSModel.Core.Registry;

/// <summary>Consecutive bytes of a blob, from <paramref name="Start"/> up to and without <paramref name="End"/>.</summary>
internal readonly record struct ByteRange(long Start, long End)
{
    public long Length => End - Start;

    public override string ToString() => $"[{Start}..{End})";
}
