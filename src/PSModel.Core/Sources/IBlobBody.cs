namespace PSModel.Core.Sources;

/// <summary>Bytes of a blob as they come. Reads block. For one reader at a time.</summary>
internal interface IBlobBody : IDisposable
{
    /// <summary>Reads some bytes; 0 at the end of what comes.</summary>
    /// <exception cref="Faults.ModelFaultException">No more bytes come, and there should be more; mostly transient.</exception>
    int Read(byte[] buffer, int offset, int count);
}
