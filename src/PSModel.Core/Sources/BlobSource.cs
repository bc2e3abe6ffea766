using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Sources;

/// <summary>Where one blob's bytes come from. Thread-safe.</summary>
internal abstract class BlobSource
{
    /// <summary>The ETag of the answer that came last; <see langword="null"/> where none was given.</summary>
    public virtual string? Validator => null;

    /// <summary>Opens the bytes of <paramref name="range"/>.</summary>
    /// <returns>A stream that begins at the range, or at byte 0 where ranges are not to be had.</returns>
    /// <exception cref="ModelFaultException">What was asked for is not given; transient where it may yet be.</exception>
    public abstract BlobStream Open(ByteRange range, CancellationToken cancellationToken);

    /// <summary>Says of bytes that turned out wrong what is known of where they came from.</summary>
    /// <param name="mismatch">That they are wrong.</param>
    /// <param name="arrived">The map of the bytes that arrived; <see langword="null"/> where there is none.</param>
    /// <returns>The fault to tell.</returns>
    public virtual ModelFaultException Explain(ModelFaultException mismatch, BlockMap? arrived) => mismatch;
}
