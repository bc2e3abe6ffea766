namespace PSModel.TestParts;

/// <summary>Waits for what another process or a server does.</summary>
public static class Until
{
    /// <summary>Comes back when a condition holds; it is looked at all the time.</summary>
    /// <exception cref="OperationCanceledException">It did not for so long, two minutes where nothing else is said.</exception>
    public static async Task HoldsAsync(Func<bool> condition, TimeSpan? patience = null)
    {
        using CancellationTokenSource end = new(patience ?? TimeSpan.FromMinutes(2));
        while (!condition())
        {
            end.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
