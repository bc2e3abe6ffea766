using Polly;
using Polly.Retry;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Repeats what failed for a transient reason: exponential backoff with jitter, and Retry-After obeyed. Thread-safe.</summary>
internal sealed class RetryPolicy(RegistryOptions options)
{
    /// <summary>A backoff never grows beyond this; a server's Retry-After may.</summary>
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(60);

    /// <summary>Runs the attempts, and waits between them, on the caller's thread.</summary>
    public T Run<T>(Func<CancellationToken, T> attempt, Action<Exception>? onRetry, CancellationToken cancellationToken)
    {
        if (options.MaximumRetryCount == 0)
        {
            return attempt(cancellationToken);
        }

        ResiliencePipeline pipeline = new ResiliencePipelineBuilder().AddRetry(Strategy(onRetry)).Build();
        return pipeline.Execute(attempt, cancellationToken);
    }

    /// <summary>Waits for as long as the backoff begins with.</summary>
    public void Pause(CancellationToken cancellationToken)
    {
        cancellationToken.WaitHandle.WaitOne(options.RetryInterval);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private RetryStrategyOptions Strategy(Action<Exception>? onRetry) => new()
    {
        MaxRetryAttempts = options.MaximumRetryCount,
        Delay = options.RetryInterval,
        MaxDelay = LongestBackoff,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        ShouldHandle = new PredicateBuilder().Handle<ModelFaultException>(fault => fault.IsTransient),
        DelayGenerator = arguments => new ValueTask<TimeSpan?>((arguments.Outcome.Exception as ModelFaultException)?.RetryAfter),
        OnRetry = arguments =>
        {
            onRetry?.Invoke(arguments.Outcome.Exception!);
            return default;
        },
    };
}
