using Polly;
using Polly.Retry;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Repeats what failed for a transient reason: exponential backoff with jitter, and Retry-After obeyed. Thread-safe.</summary>
internal sealed class RetryPolicy
{
    /// <summary>A backoff never grows beyond this; a server's Retry-After may.</summary>
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(60);

    private readonly TimeSpan _interval;

    /// <summary>Made once, since Polly looks every option over when it makes one.</summary>
    private readonly ResiliencePipeline _pipeline;

    public RetryPolicy(RegistryOptions options)
    {
        _interval = options.RetryInterval;
        _pipeline = options.MaximumRetryCount == 0
            ? ResiliencePipeline.Empty
            : new ResiliencePipelineBuilder().AddRetry(Strategy(options)).Build();
    }

    /// <summary>Runs the attempts, and waits between them, on the caller's thread.</summary>
    /// <param name="attempt">One attempt.</param>
    /// <param name="onRetry">Called before each attempt but the first.</param>
    /// <param name="cancellationToken">Ends the waits, and is given to the attempts.</param>
    public T Run<T>(Func<CancellationToken, T> attempt, Action? onRetry, CancellationToken cancellationToken)
    {
        bool isFirst = true;
        return _pipeline.Execute(
            token =>
            {
                if (!isFirst)
                {
                    onRetry?.Invoke();
                }

                isFirst = false;
                return attempt(token);
            },
            cancellationToken);
    }

    /// <summary>Waits for as long as the backoff begins with.</summary>
    public void Pause(CancellationToken cancellationToken) => BlockingWork.Pause(_interval, cancellationToken);

    private static RetryStrategyOptions Strategy(RegistryOptions options) => new()
    {
        MaxRetryAttempts = options.MaximumRetryCount,
        Delay = options.RetryInterval,
        MaxDelay = LongestBackoff,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        ShouldHandle = new PredicateBuilder().Handle<ModelFaultException>(fault => fault.IsTransient),
        DelayGenerator = arguments => new ValueTask<TimeSpan?>((arguments.Outcome.Exception as ModelFaultException)?.RetryAfter),
    };
}
