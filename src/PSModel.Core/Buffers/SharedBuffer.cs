namespace PSModel.Core.Buffers;

/// <summary>A buffer that a connection fills while others use what it has put there. Thread-safe.</summary>
internal sealed class SharedBuffer(byte[] bytes)
{
    private int _users = 1;

    public byte[] Bytes { get; } = bytes;

    /// <summary>One user more.</summary>
    public void Share() => Interlocked.Increment(ref _users);

    /// <summary>One user less.</summary>
    /// <returns>Whether that was the last one.</returns>
    public bool LetGo() => Interlocked.Decrement(ref _users) == 0;
}
