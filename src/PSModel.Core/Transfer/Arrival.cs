namespace PSModel.Core.Transfer;

/// <summary>Whether every byte of a blob has arrived, or why it will not. Thread-safe; the first word counts.</summary>
internal sealed class Arrival
{
    private readonly TaskCompletionSource<bool> _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Succeed() => _arrived.TrySetResult(true);

    public void Fail(Exception e) => _arrived.TrySetException(e);

    /// <summary>Waits for it.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration stopping = cancellationToken.Register(() => _arrived.TrySetCanceled(cancellationToken));
        await _arrived.Task.ConfigureAwait(false);
    }
}
