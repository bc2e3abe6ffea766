namespace PSModel.Core.Scheduling;

/// <summary>How a lane's attempt failed. Immutable.</summary>
/// <param name="Error">What happened.</param>
/// <param name="IsTransient">Whether the same request may well succeed later.</param>
/// <param name="IsRefusal">Whether the server answered, or refused the connection, rather than broke off.</param>
/// <param name="RetryAfter">The milliseconds for which the server asked to be left alone.</param>
internal sealed record FetchFailure(Exception Error, bool IsTransient, bool IsRefusal = false, long? RetryAfter = null);
