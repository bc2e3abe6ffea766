using PSModel.Core.Manifests;

namespace PSModel.Pipeline;

/// <summary>
/// Blobs of one model that may be fetched without asking for each of them. Where nothing is asked or told, the pipeline thread says yes
/// for some at a time: of thousands of small blobs each would else wait for it. It is asked for the first blob of each model, so that
/// what came before, such as an error that ends the pipeline, has come to pass. Thread-safe.
/// </summary>
internal sealed class Allowance
{
    private const int Together = 32;

    private readonly object _gate = new();
    private Manifest? _manifest;
    private int _left;

    /// <summary>The pipeline thread has said yes to a blob: so many of that model need not ask.</summary>
    public void Give(Manifest manifest)
    {
        lock (_gate)
        {
            _manifest = manifest;
            _left = Together - 1;
        }
    }

    /// <summary>Takes the leave for a blob, where there is one.</summary>
    public bool TryTake(Manifest manifest)
    {
        lock (_gate)
        {
            return _manifest == manifest && _left-- > 0;
        }
    }
}
