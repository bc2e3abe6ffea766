using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>What a request sends. It can be sent again from its beginning, as a redirect or a token that was renewed wants it. For one
/// request at a time.</summary>
internal abstract class HttpBody
{
    /// <summary>How many bytes it has.</summary>
    public abstract long Length { get; }

    /// <summary>The value of Content-Type.</summary>
    public abstract string MediaType { get; }

    /// <summary>The value of Content-Range; <see langword="null"/> for none.</summary>
    public virtual string? Range => null;

    /// <summary>Whether the server is to say first that it wants it: one that refuses a request closes the connection under a large body,
    /// and its answer may never be seen.</summary>
    public virtual bool AsksFirst => false;

    /// <summary>Why its bytes could not be had when it was last sent; <see langword="null"/> where they could.</summary>
    public ModelFaultException? Failure { get; private set; }

    /// <summary>Sends it, in pieces that the peer can be expected to take within the longest wait.</summary>
    /// <param name="write">Sends a piece: the array, where in it the piece begins, and its length.</param>
    /// <param name="cancellationToken">Ends it between two pieces.</param>
    /// <exception cref="IOException">The connection failed, or the bytes could not be had; <see cref="Failure"/> tells which.</exception>
    public void Send(Action<byte[], int, int> write, CancellationToken cancellationToken)
    {
        Failure = null;
        try
        {
            WriteTo(write, cancellationToken);
        }
        catch (ModelFaultException fault)
        {
            // What HTTP handlers make of foreign exceptions differs.
            Failure = fault;
            throw new IOException(fault.Message, fault);
        }
    }

    /// <summary>Writes all bytes from the first on.</summary>
    /// <exception cref="ModelFaultException">They cannot be had.</exception>
    protected abstract void WriteTo(Action<byte[], int, int> write, CancellationToken cancellationToken);
}
