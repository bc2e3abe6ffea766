using System.Net;
using System.Net.Http;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>
/// Where one blob's bytes come from: the first registry that has it. One that fails in mid-blob gives way to the next, and what it
/// brought stays: the digest decides whether the parts fit. Thread-safe.
/// </summary>
internal sealed class BlobSource
{
    /// <summary>A connection that brought so many bytes before it broke speaks for its registry.</summary>
    private const long Worthwhile = 1024 * 1024;

    /// <summary>More failures than a registry can gather: it does not have the blob.</summary>
    private const int Never = int.MaxValue / 2;

    private readonly IReadOnlyList<RegistryBlob> _places;
    private readonly RegistryHealth _health;
    private readonly Action<string> _trace;
    private readonly int[] _failures;
    private readonly byte[]? _content;
    private readonly Uri? _address;
    private volatile RegistryBlob? _latest;

    /// <param name="places">The blob at each registry, in the order in which to ask.</param>
    /// <param name="health">What is known of the registries.</param>
    /// <param name="trace">Told of each registry that is passed over.</param>
    public BlobSource(IReadOnlyList<RegistryBlob> places, RegistryHealth health, Action<string> trace)
    {
        _places = places;
        _health = health;
        _trace = trace;
        _failures = new int[places.Count];
        _latest = places.Count > 0 ? places[0] : null;
    }

    /// <summary>A blob that no registry has, since it was made here.</summary>
    /// <param name="address">What it was made of, for messages.</param>
    /// <param name="content">The blob.</param>
    public BlobSource(Uri address, byte[] content)
        : this([], new RegistryHealth(), _ => { })
    {
        _address = address;
        _content = content;
    }

    /// <summary>The ETag of the answer that came last, if it gave one.</summary>
    public string? Validator => _latest?.Validator;

    /// <summary>Opens the bytes of <paramref name="range"/>.</summary>
    /// <returns>A stream that begins at the range, or at byte 0 where the server ignores ranges.</returns>
    /// <exception cref="ModelFaultException">No registry gives what was asked for; transient where one of them may yet.</exception>
    public BlobStream Open(ByteRange range, CancellationToken cancellationToken)
    {
        if (_content is not null)
        {
            return OpenContent(range, cancellationToken);
        }

        if (_places.Count == 1)
        {
            return _places[0].Open(range, cancellationToken);
        }

        List<ModelFaultException> faults = [];
        foreach (int at in Order())
        {
            RegistryBlob place = _places[at];
            try
            {
                BlobStream stream = place.Open(range, cancellationToken);
                _latest = place;
                _health.NoteAnswer(place.Endpoint);
                long begun = stream.Position;
                stream.OnBroken = () => Count(at, isLasting: false, gained: stream.Position - begun);
                return stream;
            }
            catch (ModelFaultException fault)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _health.NoteFault(place.Endpoint, fault);
                Count(at, isLasting: !fault.IsTransient, gained: 0);
                _trace($"{place.Endpoint.Registry.Address.Authority} is passed over: {fault.Message}");
                faults.Add(fault);
            }
        }

        throw RegistryHealth.Worst(faults);
    }

    /// <summary>As a registry would answer it, so that it takes the way of every blob.</summary>
    private BlobStream OpenContent(ByteRange range, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = new(HttpStatusCode.OK)
        {
            Content = new ByteArrayContent(_content!, (int)range.Start, (int)range.Length),
            RequestMessage = new HttpRequestMessage(HttpMethod.Get, _address),
        };
        return new BlobStream(BodyStream.Open(response, Timeout.InfiniteTimeSpan, cancellationToken), range.Start, range.End);
    }

    /// <summary>Those that failed least, and of these the ones that can be reached; the order of the call decides between equals.</summary>
    private List<int> Order()
    {
        lock (_failures)
        {
            return [.. Enumerable.Range(0, _places.Count).OrderBy(at => _failures[at] >= Never).ThenBy(at => _health.IsDown(_places[at].Endpoint)).ThenBy(at => _failures[at])];
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
