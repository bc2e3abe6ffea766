using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Where the contenders of a comparison fetch one blob from.</summary>
/// <param name="Model">The model's name, with scheme and port.</param>
/// <param name="WarmModel">Another one there, which a session saves first.</param>
/// <param name="Digest">The blob's digest.</param>
/// <param name="Address">The blob's address.</param>
/// <param name="File">The same bytes in memory, to hash.</param>
/// <param name="ProcessorSeconds">What the server has used of the processor so far.</param>
/// <param name="Certificate">What the server proves itself with.</param>
internal sealed record RegistryOrigin(
    string Model,
    string WarmModel,
    string Digest,
    string Address,
    string File,
    Func<double> ProcessorSeconds,
    Certificate? Certificate = null);
