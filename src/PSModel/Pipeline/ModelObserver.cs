using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Errors;

namespace PSModel.Pipeline;

/// <summary>Carries what is told of models that are brought somewhere to the pipeline thread, and questions too. Thread-safe.</summary>
/// <param name="cmdlet">Whose pipeline it is.</param>
/// <param name="pump">Leads to the pipeline thread.</param>
/// <param name="progress">Shows how far they are.</param>
/// <param name="only">The blobs that are wanted; none for all.</param>
internal abstract class ModelObserver(Cmdlet cmdlet, PipelinePump pump, TransferProgress progress, ICollection<BlobDigestPart> only) : IModelObserver
{
    /// <summary>What was told of once, since it is the same for each blob. For the pipeline thread alone.</summary>
    private readonly HashSet<string> _told = [];

    /// <summary>Whether nobody reads what is told, and nothing is asked, as <see cref="Confirmation.IsSilent"/> says.</summary>
    public bool IsSilent { get; init; }

    public abstract Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer);

    public abstract Task<bool> ConfirmManifestAsync(Manifest manifest, string path);

    public void ModelRequested(string target) => pump.Post(() =>
    {
        progress.BeginLookUp(target);
        Requested(target);
    });

    public void ModelStarted(string target, Manifest manifest) => pump.Post(() =>
    {
        progress.BeginModel(manifest, only);
        Started(target, manifest);
    });

    public void ModelEnded(string target, ModelFaultException? fault) => pump.Post(() =>
    {
        progress.EndModel(target);
        if (fault is not null)
        {
            Fail(target, ErrorRecords.From(fault, target));
        }

        Ended(target);
    });

    public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter) => pump.PostForNextTick(() => progress.BeginBlob(manifest.Name, layer, meter));

    public void BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault) => pump.Post(() =>
    {
        progress.EndBlob(manifest.Name, digest);
        if (meter is not null)
        {
            Broken(target, meter);
        }

        string? subject = SubjectOf(manifest, fault);
        if (subject is not null && !_told.Add($"{fault.Fault} {subject}"))
        {
            cmdlet.WriteVerbose(OutsideText.OneLine($"{digest}: {fault.Message}"));
            return;
        }

        Fail(target, subject is not null ? ErrorRecords.From(fault, subject) : ErrorRecords.From(fault, digest, manifest.Name.Shortest));
    });

    public void Warn(string message) => pump.Post(() => cmdlet.WriteWarning(OutsideText.OneLine(message)));

    public void Tell(string message)
    {
        if (!IsSilent)
        {
            pump.PostForNextTick(() => cmdlet.WriteVerbose(OutsideText.OneLine(message)));
        }
    }

    /// <summary>A model's manifest is being looked up. On the pipeline thread, as are the four that follow.</summary>
    protected virtual void Requested(string target)
    {
    }

    /// <summary>A model's manifest is there.</summary>
    protected virtual void Started(string target, Manifest manifest)
    {
    }

    /// <summary>A blob has failed of which something may have come.</summary>
    protected virtual void Broken(string target, TransferMeter meter)
    {
    }

    /// <summary>An error about a model is about to be written.</summary>
    protected virtual void Failed(string target, ErrorRecord error)
    {
    }

    /// <summary>Nothing more will be done for a model.</summary>
    protected virtual void Ended(string target)
    {
    }

    /// <summary>What a fault is about that is the same for each blob; <see langword="null"/> where it is about the blob.</summary>
    protected abstract string? SubjectOf(Manifest manifest, ModelFaultException fault);

    private void Fail(string target, ErrorRecord error)
    {
        Failed(target, error);
        cmdlet.WriteError(error);
    }
}
