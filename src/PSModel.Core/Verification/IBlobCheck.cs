using PSModel.Core.Faults;

namespace PSModel.Core.Verification;

/// <summary>A check of one blob's file. For one run; the counts may be read while it runs.</summary>
public interface IBlobCheck
{
    /// <summary>The file.</summary>
    BlobTarget Target { get; }

    /// <summary>Whether nothing is wrong with the file.</summary>
    bool IsGood { get; }

    /// <summary>The bytes that will be read, as far as that is known.</summary>
    long TotalBytes { get; }

    /// <summary>The bytes read so far.</summary>
    long BytesRead { get; }

    /// <summary>Why the check could not be made; <see langword="null"/> where it could.</summary>
    ModelFaultException? Fault { get; }

    /// <summary>Runs the check. What is wrong with the file is a finding, not an exception.</summary>
    Task RunAsync(CancellationToken cancellationToken);

    /// <summary>Why a block map that was wanted could not be left; the finding holds all the same.</summary>
    ModelFaultException? MapFault { get; }
}
