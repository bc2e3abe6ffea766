using PSModel.Core.Faults;
using PSModel.Core.Sources;

namespace PSModel.Core.Registry;

/// <summary>
/// A blob at several registries: it comes from the first that has it. One that fails in mid-blob gives way to the next, and what it
/// brought stays: the digest decides whether the parts fit. Thread-safe.
/// </summary>
/// <param name="places">The blob at each registry, in the order in which to ask; one at least.</param>
/// <param name="health">What is known of the registries.</param>
internal sealed class MirroredBlob(IReadOnlyList<RegistryBlob> places, RegistryHealth health) : BlobSource
{
    /// <summary>A connection that brought so many bytes before it broke speaks for its registry.</summary>
    private const long Worthwhile = 1024 * 1024;

    /// <summary>More failures than a registry can gather: it does not have the blob.</summary>
    private const int Never = int.MaxValue / 2;

    private readonly int[] _failures = new int[places.Count];
    private volatile RegistryBlob _latest = places[0];

    /// <inheritdoc/>
    public override string? Validator => _latest.Validator;

    /// <inheritdoc/>
    public override BlobStream Open(ByteRange range, CancellationToken cancellationToken)
    {
        return health.First(Order(), at => places[at].Endpoint, OpenAt, cancellationToken);

        BlobStream OpenAt(int at)
        {
            try
            {
                BlobStream stream = places[at].Open(range, cancellationToken);
                _latest = places[at];
                long begun = stream.Position;
                stream.OnBroken = () => Count(at, isLasting: false, gained: stream.Position - begun);
                return stream;
            }
            catch (ModelFaultException fault) when (!cancellationToken.IsCancellationRequested)
            {
                Count(at, isLasting: !fault.IsTransient, gained: 0);
                throw;
            }
        }
    }

    /// <summary>Those that failed least, and of these the ones that can be reached; the order of the call decides between equals.</summary>
    private List<int> Order()
    {
        lock (_failures)
        {
            return [.. Enumerable.Range(0, places.Count).OrderBy(at => _failures[at] >= Never).ThenBy(at => health.IsDown(places[at].Endpoint)).ThenBy(at => _failures[at])];
        }
    }

    private void Count(int at, bool isLasting, long gained)
    {
        lock (_failures)
        {
            _failures[at] = isLasting ? Never : gained < Worthwhile ? Math.Min(_failures[at] + 1, Never) : _failures[at];
        }
    }
}
