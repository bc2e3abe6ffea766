using System.Diagnostics.CodeAnalysis;

namespace PSModel.Core.Buffers;

/// <summary>
/// Hands items from some threads to others, in order. Whoever waits sleeps: the collections of .NET spin first, which takes the
/// processor from the very threads that are waited for. Thread-safe.
/// </summary>
internal sealed class BlockingQueue<T>
{
    private readonly Queue<T> _items = new();
    private int _wanted = 1;
    private bool _isCompleted;

    /// <summary>Never blocks.</summary>
    public void Add(T item)
    {
        lock (_items)
        {
            _items.Enqueue(item);
            if (_items.Count >= _wanted)
            {
                Monitor.Pulse(_items);
            }
        }
    }

    /// <summary>Nothing is added afterwards; whoever waits for more is told.</summary>
    public void Complete()
    {
        lock (_items)
        {
            _isCompleted = true;
            Monitor.PulseAll(_items);
        }
    }

    /// <summary>Waits for an item.</summary>
    /// <returns>Whether there was one; if not, the queue is complete and empty.</returns>
    public bool Take([MaybeNullWhen(false)] out T item)
    {
        lock (_items)
        {
            while (_items.Count == 0 && !_isCompleted)
            {
                Monitor.Wait(_items);
            }

            return TryDequeue(out item);
        }
    }

    /// <summary>Takes an item, if there is one.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        lock (_items)
        {
            return TryDequeue(out item);
        }
    }

    /// <summary>Waits until there are so many items, and is woken for none before; no longer than so many milliseconds, or until the
    /// queue is complete. For a queue that one thread alone takes from.</summary>
    public void WaitFor(int count, int milliseconds)
    {
        lock (_items)
        {
            if (_items.Count < count && !_isCompleted && milliseconds > 0)
            {
                _wanted = count;
                Monitor.Wait(_items, milliseconds);
                _wanted = 1;
            }
        }
    }

    private bool TryDequeue([MaybeNullWhen(false)] out T item)
    {
        bool isThere = _items.Count > 0;
        item = isThere ? _items.Dequeue() : default;
        return isThere;
    }
}
