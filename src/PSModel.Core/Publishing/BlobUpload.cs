using PSModel.Core.Faults;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Registry;

namespace PSModel.Core.Publishing;

/// <summary>
/// Uploads one blob in chunks. After whatever went wrong, in an earlier call as well, the registry is asked how far it has
/// come, and the upload goes on from there, or begins anew where the registry has lost it. The bytes are hashed as they are
/// read, and the request that makes a blob of them is sent only if the hash is right. For one run.
/// </summary>
/// <param name="push">The repository.</param>
/// <param name="blob">The blob.</param>
/// <param name="from">Another repository of the registry that may have it; <see langword="null"/> where none is known.</param>
/// <param name="meter">Told of what is sent.</param>
/// <param name="options">How to send.</param>
internal sealed class BlobUpload(RegistryPush push, StoredBlob blob, string? from, TransferMeter meter, PublishOptions options)
{
    /// <summary>How long a registry is waited for that is told to forget an upload.</summary>
    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(5);

    /// <summary>The specification's code of bytes that have another digest.</summary>
    private const string WrongDigest = "DIGEST_INVALID";

    private byte[]? _whole;
    private long _chunk = options.LargestChunk;
    private string? _from = from;
    private UploadState? _upload;
    private bool _isUnsure;
    private bool _isEnding;
    private UploadFile? _remembered;
    private long _resumed;
    private int _begun;
    private int _refused;

    private long Size => blob.Layer.Size;

    /// <summary>Uploads it.</summary>
    /// <exception cref="ModelFaultException">The blob is not there.</exception>
    public PublishOutcome Run(CancellationToken cancellationToken)
    {
        using HashedFile file = HashedFile.Open(blob);
        meter.Phase = TransferPhase.Uploading;
        if (Size <= ReadBuffer.UnitSize)
        {
            // It is sent in one piece, and not before it is known to be right.
            _whole = file.ReadAll(cancellationToken);
            file.RequireRight(cancellationToken);
        }

        _remembered = Size > _chunk ? new UploadFile(blob.Store, blob.Layer.Digest, push.Authority, push.Repository) : null;
        try
        {
            _upload = _remembered?.TryRead();
            _isUnsure = _upload is not null;
            while (true)
            {
                // A step that brings something ends, so that retries are counted in a row.
                if (push.Retries.Run(token => Step(file, token), meter.CountRetry, cancellationToken) is { } outcome)
                {
                    _remembered?.Delete();
                    return outcome;
                }
            }
        }
        catch (ModelFaultException e) when (!(_remembered is not null && e.IsTransient && IsWorthKeeping))
        {
            // Else a later call goes on.
            _remembered?.Delete();
            Cancel();
            throw;
        }
        finally
        {
            _remembered?.Dispose();
        }
    }

    /// <summary>Whether the registry has bytes of it, or may have some of an earlier call.</summary>
    private bool IsWorthKeeping => _upload is not null && (_upload.Offset > 0 || _begun == 0);

    /// <summary>Does what comes next.</summary>
    /// <returns>The outcome, once there is one.</returns>
    private PublishOutcome? Step(HashedFile file, CancellationToken cancellationToken)
    {
        meter.ConnectionOpened();
        try
        {
            if (_isUnsure && (HasEnded(cancellationToken) || HasAdvanced(file, cancellationToken)))
            {
                return _upload is null ? PublishOutcome.Published : null;
            }

            if (_upload is null && !Begin(cancellationToken))
            {
                return PublishOutcome.Mounted;
            }

            if (_whole is null && _upload!.Offset < Size)
            {
                SendChunk(file, cancellationToken);
                return null;
            }

            Finish(file, cancellationToken);
            return PublishOutcome.Published;
        }
        catch (ModelFaultException e)
        {
            _isUnsure = true;
            meter.ServerWait(e.RetryAfter);
            throw;
        }
        finally
        {
            meter.ConnectionClosed();
        }
    }

    /// <summary>The answer to the last request may have been lost, and not the request.</summary>
    private bool HasEnded(CancellationToken cancellationToken)
    {
        if (!_isEnding || push.Look(blob.Layer, cancellationToken) == BlobPresence.Absent)
        {
            return false;
        }

        _upload = null;
        return true;
    }

    /// <summary>Asks where the upload is.</summary>
    /// <returns>Whether more is there than was known.</returns>
    private bool HasAdvanced(HashedFile file, CancellationToken cancellationToken)
    {
        UploadState? before = _upload;
        UploadState? now = before is null ? null : push.Ask(before, cancellationToken);
        _isUnsure = false;
        _isEnding = false;
        if (now is not null && _begun == 0 && _resumed == 0 && now.Offset <= Size)
        {
            // The digest of all of it tells in the end whether what an earlier call left is right.
            meter.BytesResumed = _resumed = now.Offset;
        }

        // What is there beyond all that was given is of somebody else.
        if (now is null || now.Offset > Math.Max(file.Given, _resumed) || _whole is not null)
        {
            _upload = null;
            return false;
        }

        _upload = now;
        meter.Reach(now.Offset);
        return now.Offset > before!.Offset;
    }

    /// <returns>Whether anything is to be sent.</returns>
    private bool Begin(CancellationToken cancellationToken)
    {
        if (_begun > push.MaximumRetries)
        {
            throw new ModelFaultException(
                ModelFault.UnexpectedStatus,
                $"The registry {push.Authority} lost the upload of {blob.Layer.Digest} each time, {_begun} times in all.",
                new FaultFacts { Name = blob.Manifest.Name.Shortest, Digest = blob.Layer.Digest.ToString(), Uri = push.Authority });
        }

        string? from = _from;
        _from = null;
        try
        {
            _upload = push.Begin(blob.Layer.Digest, from, cancellationToken);
        }
        catch (ModelFaultException) when (from is not null)
        {
            // Who may write here may not read there, for instance.
            _upload = push.Begin(blob.Layer.Digest, from: null, cancellationToken);
        }

        _begun++;
        meter.BytesResumed = _resumed = 0;
        meter.Reach(0);
        Remember();
        return _upload is not null;
    }

    private void SendChunk(HashedFile file, CancellationToken cancellationToken)
    {
        long start = _upload!.Offset;
        long units = (start + Math.Max(_chunk, _upload.ShortestChunk) + ReadBuffer.UnitSize - 1) / ReadBuffer.UnitSize;
        long end = Math.Min(Size, units * ReadBuffer.UnitSize);
        try
        {
            _upload = push.SendChunk(_upload, new ChunkBody(file, start, end, meter), cancellationToken);
        }
        catch (ModelFaultException e) when (e.Facts.StatusCode == 413 && _chunk > ReadBuffer.UnitSize)
        {
            // Something in between takes no requests that large.
            _chunk = Math.Max(ReadBuffer.UnitSize, _chunk / 2);
            _isUnsure = true;
            return;
        }
        catch (ModelFaultException e) when (IsOfUpload(e))
        {
            // The upload is gone, or is not where it was thought to be.
            throw new ModelFaultException(e.Fault, e.Message, e.Facts, e) { IsTransient = true };
        }

        meter.Reach(_upload.Offset);
        file.Forget(_upload.Offset);
        Remember();
    }

    private void Remember()
    {
        if (_upload is not null)
        {
            _remembered?.Write(_upload);
        }
    }

    private void Finish(HashedFile file, CancellationToken cancellationToken)
    {
        if (_whole is null)
        {
            file.RequireRight(cancellationToken);
        }

        _isEnding = true;
        try
        {
            push.Finish(_upload!, blob.Layer, _whole is null ? BytesBody.Empty : new BytesBody(_whole, BytesBody.AnyType), cancellationToken);
        }
        catch (ModelFaultException e) when (IsOfUpload(e))
        {
            // What the registry has is not what was sent, or it has nothing: the next attempt begins anew.
            _upload = null;
            throw e.Message.Contains(WrongDigest) && _refused++ > 0
                ? new ModelFaultException(ModelFault.DigestMismatch, $"What arrives of {blob.Layer.Digest} at {push.Authority} is not what was sent, and was read right here: {e.Message}", new FaultFacts { Name = e.Facts.Name, Digest = blob.Layer.Digest.ToString(), Uri = e.Facts.Uri, StatusCode = e.Facts.StatusCode, Remedy = "Try without the proxy or VPN; else the memory of this machine or of the registry's is at fault." })
                : new ModelFaultException(e.Fault, e.Message, e.Facts, e) { IsTransient = true };
        }

        if (_whole is not null)
        {
            meter.Send(_whole.Length);
        }
    }

    private static bool IsOfUpload(ModelFaultException e) => e is { Fault: ModelFault.UnexpectedStatus, Facts.StatusCode: 400 or 404 or 409 or 410 or 416 };

    private void Cancel()
    {
        if (_upload is not null)
        {
            using CancellationTokenSource patience = new(CancelPatience);
            push.Cancel(_upload, patience.Token);
        }
    }
}
