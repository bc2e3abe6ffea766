using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;
using PSModel.Errors;
using PSModel.Output;

namespace PSModel.Pipeline;

/// <summary>Carries what a removal tells to the pipeline thread, and its questions too. Thread-safe.</summary>
internal sealed class RemovalObserver(Cmdlet cmdlet, bool isPassedThru) : IRemovalObserver
{
    private PipelinePump? _pump;

    /// <summary>For the pipeline thread alone.</summary>
    private bool _isStoreRefused;

    /// <summary>What was asked for so far.</summary>
    public RemovalForecast Forecast { get; } = new();

    /// <summary>Begins with the work of another input.</summary>
    public void Begin(PipelinePump pump) => _pump = pump;

    public Task<bool> ConfirmAsync(RemovalStep wanted) => _pump!.AskAsync(() =>
    {
        Forecast.Add(wanted);
        return cmdlet.ShouldProcess(RemovalForecast.TargetOf(wanted), RemovalForecast.ActionOf(wanted));
    });

    public void Removed(RemovedFile file) => _pump!.Post(() =>
    {
        cmdlet.WriteVerbose(OutsideText.OneLine($"'{file.Path}' is removed, {ByteText.Of(file.Size)}."));
        if (isPassedThru)
        {
            cmdlet.WriteObject(OutputFactory.From(file));
        }
    });

    public void Failed(string target, ModelName? model, ModelFaultException fault) => _pump!.Post(() =>
    {
        bool isOfStore = fault.Fault == ModelFault.StoreNotWritable;
        if (isOfStore && _isStoreRefused)
        {
            // It is the same for each file, and said.
            cmdlet.WriteVerbose(OutsideText.OneLine($"{target}: {fault.Message}"));
            return;
        }

        _isStoreRefused |= isOfStore;
        cmdlet.WriteError(ErrorRecords.From(fault, target, model?.Shortest));
    });

    public void Warn(string message) => _pump!.Post(() => cmdlet.WriteWarning(OutsideText.OneLine(message)));

    public void Tell(string message) => _pump!.Post(() => cmdlet.WriteVerbose(OutsideText.OneLine(message)));
}
