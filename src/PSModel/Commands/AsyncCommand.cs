using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Errors;
using PSModel.Pipeline;

namespace PSModel.Commands;

/// <summary>A cmdlet whose work runs off the pipeline thread and stops at once on Ctrl-C.</summary>
public abstract class AsyncCommand : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The pump of the work that runs at this moment.</summary>
    private protected PipelinePump? CurrentPump { get; private set; }

    /// <inheritdoc/>
    protected sealed override void BeginProcessing()
    {
        // Nothing up to here, constructors included, names a type of the core.
        if (CoreFile.WhyNotThere() is { } why)
        {
            ThrowTerminatingError(ErrorRecords.OfModule(why));
        }

        Begin();
    }

    /// <summary>Looks at the parameters that the command line gave, once.</summary>
    protected virtual void Begin()
    {
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Lets go of what the cmdlet holds.</summary>
    protected virtual void Dispose(bool isDisposing)
    {
        if (isDisposing)
        {
            _stop.Dispose();
        }
    }

    /// <summary>Runs work to its end. A fault becomes a non-terminating error about <paramref name="target"/>.</summary>
    private protected void Run(object? target, Func<PipelinePump, CancellationToken, Task> work, Action? onTick = null)
    {
        PipelinePump pump = new(_stop);
        CurrentPump = pump;
        try
        {
            pump.Run(token => work(pump, token), onTick ?? (() => { }));
        }
        catch (ModelFaultException fault)
        {
            WriteError(ErrorRecords.From(fault, target));
        }
        finally
        {
            CurrentPump = null;
        }
    }

    /// <summary>Runs a step that needs no other thread. A fault becomes a non-terminating error.</summary>
    private protected bool Try(object? target, Action step)
    {
        try
        {
            step();
            return true;
        }
        catch (ModelFaultException fault)
        {
            WriteError(ErrorRecords.From(fault, target));
            return false;
        }
    }

    /// <summary>Reads what the whole call needs. A fault ends it.</summary>
    private protected T Require<T>(object? target, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ModelFaultException fault)
        {
            ThrowTerminatingError(ErrorRecords.From(fault, target ?? fault.Facts.Path));
            throw;
        }
    }

    /// <summary>Ends the call where arguments do not go together.</summary>
    private protected void Refuse(bool isWrong, string why, string parameter, string action = ErrorRecords.GiveOne)
    {
        if (isWrong)
        {
            ThrowTerminatingError(ErrorRecords.OfArgument(why, parameter, action));
        }
    }
}
