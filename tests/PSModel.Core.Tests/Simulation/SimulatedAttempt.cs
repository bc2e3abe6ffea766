namespace PSModel.Core.Tests.Simulation;

/// <summary>How the server treats one request. Times are in milliseconds.</summary>
/// <param name="Latency">Until its answer; <see langword="null"/> for none at all.</param>
/// <param name="IsRefused">Whether the answer is a refusal.</param>
/// <param name="RetryAfter">What the refusal asks for.</param>
/// <param name="Rate">Bytes a millisecond.</param>
/// <param name="CutAfter">The bytes after which the connection is cut.</param>
/// <param name="StallAfter">The bytes after which nothing comes any more.</param>
internal sealed record SimulatedAttempt(long? Latency, bool IsRefused, long? RetryAfter, double Rate, long CutAfter, long StallAfter);
