namespace PSModel.Core.Lanes;

/// <summary>Wakes the one thread that sleeps on it; a call that comes before it sleeps is not lost. Thread-safe.</summary>
internal sealed class Signal
{
    private readonly object _gate = new();
    private bool _isSet;

    /// <summary>Wakes the thread, now or when it is about to sleep.</summary>
    public void Set()
    {
        lock (_gate)
        {
            _isSet = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Sleeps until it is woken, no longer than so many milliseconds.</summary>
    public void Wait(int milliseconds)
    {
        lock (_gate)
        {
            if (!_isSet)
            {
                Monitor.Wait(_gate, milliseconds);
            }

            _isSet = false;
        }
    }
}
