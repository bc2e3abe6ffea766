namespace PSModel.TestParts;

/// <summary>Waits for what another process or a server does.</summary>
public static class Until
{
    /// <summary>Often enough for a moment in the middle of some work, which has the core meanwhile.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(1);

    /// <summary>Comes back when a condition holds; it is looked at every millisecond.</summary>
    /// <exception cref="OperationCanceledException">It did not for so long, two minutes where nothing else is said.</exception>
    public static async Task HoldsAsync(Func<bool> condition, TimeSpan? patience = null)
    {
        using CancellationTokenSource end = new(patience ?? TimeSpan.FromMinutes(2));
        while (!condition())
        {
            end.Token.ThrowIfCancellationRequested();
            await NextLookAsync();
        }
    }

    /// <summary>Comes back when it is time to look once more.</summary>
    internal static Task NextLookAsync() => Task.Delay(Interval);
}
