using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Removal;

/// <summary>Who watches files being removed from a store. Called from one thread.</summary>
public interface IRemovalObserver
{
    /// <summary>Asks whether files may be removed; before any of them is.</summary>
    Task<bool> ConfirmAsync(RemovalStep wanted);

    /// <summary>A file is gone.</summary>
    void Removed(RemovedFile file);

    /// <summary>A file could not be removed. The others go on.</summary>
    /// <param name="target">The digest of its blob, or its path.</param>
    /// <param name="model">The model whose blob it is, where it is one.</param>
    /// <param name="fault">Why.</param>
    void Failed(string target, ModelName? model, ModelFaultException fault);

    /// <summary>Something stays that a user may take for removed.</summary>
    void Warn(string message);

    /// <summary>What is of interest where somebody looks closely.</summary>
    void Tell(string message);
}
