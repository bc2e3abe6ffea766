namespace PSModel.Core.Transfer;

/// <summary>Whether every byte of a blob has arrived, or why it will not. Thread-safe; the first word counts.</summary>
/// <param name="run">Runs what follows, later and on another thread: words come from threads that hold locks.</param>
internal sealed class Arrival(Action<Action> run)
{
    private readonly TaskCompletionSource<bool> _arrived = new();

    /// <summary>One that a thread of the pool goes on from.</summary>
    public static Arrival OnThreadPool() => new(static next => ThreadPool.QueueUserWorkItem(_ => next()));

    public void Succeed() => run(() => _arrived.TrySetResult(true));

    public void Fail(Exception e) => run(() => _arrived.TrySetException(e));

    /// <summary>Waits for it.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration stopping = cancellationToken.Register(() => run(() => _arrived.TrySetCanceled(cancellationToken)));
        await _arrived.Task.ConfigureAwait(false);
    }
}
