using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;

namespace PSModel.Core.Tests.Removal;

/// <summary>Gives leave to everything, and keeps what it is told.</summary>
internal sealed class RemovalWatcher : IRemovalObserver
{
    public List<RemovalStep> Asked { get; } = [];

    public List<RemovedFile> Files { get; } = [];

    public List<(string Target, ModelFaultException Fault)> Faults { get; } = [];

    public List<string> Warnings { get; } = [];

    public List<string> Told { get; } = [];

    /// <summary>Called when leave is asked for.</summary>
    public Action? OnAsked { get; set; }

    /// <summary>Called once, when blobs are aside and the manifests are not looked at yet.</summary>
    public Action? OnAside { get; set; }

    public IEnumerable<string> Kinds => Files.Select(file => file.Kind.ToString());

    public Task<bool> ConfirmAsync(RemovalStep wanted)
    {
        Asked.Add(wanted);
        OnAsked?.Invoke();
        return Task.FromResult(true);
    }

    public void Removed(RemovedFile file) => Files.Add(file);

    public void Failed(string target, ModelName? model, ModelFaultException fault) => Faults.Add((target, fault));

    public void Warn(string message) => Warnings.Add(message);

    public void Tell(string message)
    {
        Told.Add(message);
        if (message.Contains("set aside in", StringComparison.Ordinal) && OnAside is { } action)
        {
            OnAside = null;
            action();
        }
    }
}
