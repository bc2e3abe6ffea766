namespace PSModel.Core.Store;

/// <summary>How much room there was when that was last asked. Thread-safe.</summary>
/// <param name="ask">Asks the system; <see langword="null"/> where nobody can tell.</param>
internal sealed class RoomLook(Func<long?> ask)
{
    /// <summary>In milliseconds.</summary>
    private const int Age = 100;

    private readonly object _gate = new();
    private long? _room;
    private int _askedAt = unchecked(Environment.TickCount - Age - 1);

    /// <summary>The bytes as they were a moment ago.</summary>
    public long? Lately()
    {
        lock (_gate)
        {
            if (unchecked(Environment.TickCount - _askedAt) > Age)
            {
                _room = ask();
                _askedAt = Environment.TickCount;
            }

            return _room;
        }
    }
}
