using System.Management.Automation;
using System.Text;
using PSModel.Commands;
using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Pins;
using PSModel.Core.Publishing;
using PSModel.Core.Removal;
using PSModel.Core.Transfer;
using PSModel.Core.Verification;

namespace PSModel.Output;

/// <summary>Turns what the core knows into what users see, and a manifest back.</summary>
internal static class OutputFactory
{
    public static ModelManifest From(Manifest manifest) => new()
    {
        Name = manifest.Name.Shortest,
        Host = manifest.Name.Host,
        Namespace = manifest.Name.Namespace,
        Model = manifest.Name.Model,
        Tag = manifest.Name.Tag,
        Digest = manifest.Digest.ToString(),
        ServedDigest = manifest.ServedDigest.ToString(),
        MediaType = manifest.MediaType,
        SchemaVersion = ManifestReader.SchemaVersion,
        Config = manifest.Config is null ? null : From(manifest.Config),
        Layers = manifest.Layers.Select(From).ToArray(),
        Size = manifest.Size,
        Source = manifest.Source,
        Origin = manifest.Origin,
        Runner = manifest.Runner,
        Format = manifest.Format,
        Manifests = manifest.Choices.Select(From).ToArray(),
        Raw = RawOf(manifest),
    };

    /// <summary>The manifest's text; a byte order mark, were there one, stays in it.</summary>
    public static string RawOf(Manifest manifest) => RawOf(manifest.GetBytes());

    /// <summary>The text of a manifest that may have been refused.</summary>
    public static string RawOf(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    /// <summary>Whether an object is of a type of the module, or was before it went through a file, a job or another machine.</summary>
    public static bool IsOf<T>(PSObject item) => item.BaseObject is T || item.TypeNames.Contains($"Deserialized.{typeof(T).FullName}");

    /// <summary>The text that a property holds, also one that PowerShell's own commands have tacked something to, as Get-Content does
    /// with lines.</summary>
    public static string? TextOf(PSObject item, string property) => item.Properties[property]?.Value switch
    {
        PSObject { BaseObject: string text } => text,
        var value => value as string,
    };

    /// <summary>The manifest that an object of plain properties once was; <see langword="null"/> where it was none. Whether its text
    /// is still the one of its digest is for <see cref="ToManifest"/> to say.</summary>
    public static ModelManifest? TryReadManifest(PSObject item)
    {
        string? Text(string property) => TextOf(item, property);
        return Text("Raw") is not { Length: > 0 } raw || Text("Digest") is not { } digest
            || Text("Host") is not { } host || Text("Namespace") is not { } @namespace || Text("Model") is not { } model || Text("Tag") is not { } tag
            ? null
            : new ModelManifest
            {
                Name = Text("Name"),
                Host = host,
                Namespace = @namespace,
                Model = model,
                Tag = tag,
                Digest = digest,
                ServedDigest = Text("ServedDigest"),
                Source = Text("Source"),
                Origin = Text("Origin") is { Length: > 0 } origin ? origin : null,
                Runner = Text("Runner"),
                Format = Text("Format"),
                Raw = raw,
            };
    }

    /// <summary>Reads a manifest back from the object that a user piped in, from its text alone.</summary>
    /// <exception cref="ModelFaultException">The object was changed: its text is not that of its digest, or no manifest.</exception>
    public static Manifest ToManifest(ModelManifest manifest)
    {
        ModelName name = ModelName.Parse($"{manifest.Host}/{manifest.Namespace}/{manifest.Model}:{manifest.Tag}");
        Manifest read = ManifestReader.Read(name, manifest.Source ?? string.Empty, Encoding.UTF8.GetBytes(manifest.Raw ?? string.Empty));
        read = IsOfStore(manifest) ? read.WithoutAnchors() : read;
        return read.Digest.ToString() == manifest.Digest && (name.Pin is null || name.Pin == read.Digest) ? read.From(manifest.Origin).For(manifest.Runner, manifest.Format) : throw new ModelFaultException(
            ModelFault.ManifestInvalid,
            $"The manifest of {name.Shortest} was changed, or is no UTF-8 text: it says {manifest.Digest}, and its text has the digest {read.Digest}.",
            new FaultFacts { Name = name.Shortest, Digest = manifest.Digest, ActualDigest = read.Digest.ToString(), Remedy = "Pipe in what Get-ModelManifest returned, as it was." });
    }

    /// <summary>Pins the manifest that a user piped in.</summary>
    /// <exception cref="ModelFaultException">The object was changed, or pins nothing.</exception>
    public static PinnedModel ToPin(ModelManifest manifest)
    {
        Manifest read = ToManifest(manifest);
        BlobDigest served = manifest.ServedDigest is { Length: > 0 } digest ? BlobDigest.Parse(digest) : read.ServedDigest;
        return PinnedModel.Of(read, served, FilePath.Reads(manifest.Origin) ? manifest.Origin : null);
    }

    private static bool IsOfStore(ModelManifest manifest) => manifest.Source?.StartsWith("http", StringComparison.OrdinalIgnoreCase) != true;

    public static ModelBlobDigest From(SavedBlob blob)
    {
        bool isVerified = blob.IsReadBack || blob.Outcome != BlobOutcome.AlreadyPresent;
        return new ModelBlobDigest
        {
            Name = blob.Name.Shortest,
            Digest = blob.Layer.Digest.ToString(),
            ActualDigest = isVerified ? blob.Layer.Digest.ToString() : null,
            Verified = isVerified,
            Verification = !isVerified ? "SizeOnly" : blob.IsReadBack ? "ReadBack" : "Inline",
            Status = blob.Outcome.ToString(),
            MediaType = blob.Layer.MediaType,
            Size = blob.Layer.Size,
            Path = blob.Path,
            BytesReceived = blob.Meter.BytesReceived,
            BytesResumed = blob.Outcome == BlobOutcome.Downloaded ? blob.Meter.BytesResumed : 0,
            RetryCount = blob.Meter.RetryCount,
            Elapsed = blob.Elapsed,
            BytesPerSecond = Rate(blob.Meter.BytesReceived, blob.Elapsed),
        };
    }

    public static RemovedModelFile From(RemovedFile file) => new()
    {
        Kind = file.Kind.ToString(),
        Name = file.Name?.Shortest,
        Digest = file.Digest?.ToString(),
        MediaType = string.IsNullOrEmpty(file.MediaType) ? null : OutsideText.Of(file.MediaType),
        Size = file.Size,
        Path = file.Path,
    };

    public static ModelBlobDigest From(PublishedBlob blob)
    {
        // What was sent was read from the store, and hashed on its way.
        bool isVerified = blob.Outcome == PublishOutcome.Published;
        return new ModelBlobDigest
        {
            Name = blob.Name.Shortest,
            Digest = blob.Layer.Digest.ToString(),
            ActualDigest = isVerified ? blob.Layer.Digest.ToString() : null,
            Verified = isVerified,
            Verification = isVerified ? "ReadBack" : blob.IsSizeChecked ? "SizeOnly" : "None",
            Status = blob.Outcome == PublishOutcome.AlreadyPresent ? nameof(PublishOutcome.AlreadyPresent) : nameof(PublishOutcome.Published),
            MediaType = blob.Layer.MediaType,
            Size = blob.Layer.Size,
            Path = blob.Path,
            BytesSent = blob.Meter.BytesSent,
            BytesResumed = isVerified ? blob.Meter.BytesResumed : 0,
            RetryCount = blob.Meter.RetryCount,
            Elapsed = blob.Elapsed,
            BytesPerSecond = Rate(blob.Meter.BytesSent, blob.Elapsed),
        };
    }

    public static ModelBlobDigest From(BlobTest test) => new()
    {
        Name = NameOf(test.Target, isRight: test.Status == BlobStatus.Valid),
        Origin = test.Status == BlobStatus.Valid ? null : test.Target.Owner?.Origin,
        Runner = test.Status == BlobStatus.Valid ? null : test.Target.Owner?.Manifest.Runner,
        Digest = test.Target.Digest.ToString(),
        ActualDigest = test.Actual?.ToString(),
        Verified = test.Status == BlobStatus.Valid,
        Verification = test.Actual is null ? "None" : "ReadBack",
        Status = test.Status.ToString(),
        MediaType = test.Target.MediaType,
        Size = test.Size,
        Path = test.Target.Path,
        Elapsed = test.Elapsed,
        BytesPerSecond = Rate(test.BytesRead, test.Elapsed),
    };

    public static ModelBlobDiagnosis From(BlobDiagnosis diagnosis) => new()
    {
        Name = NameOf(diagnosis.Target, isRight: diagnosis.Verdict == DiagnosisVerdict.Healthy),
        Origin = diagnosis.Verdict == DiagnosisVerdict.Healthy ? null : diagnosis.Target.Owner?.Origin,
        Runner = diagnosis.Verdict == DiagnosisVerdict.Healthy ? null : diagnosis.Target.Owner?.Manifest.Runner,
        Digest = diagnosis.Target.Digest.ToString(),
        Path = diagnosis.Target.Path,
        Size = diagnosis.Size,
        Verdict = diagnosis.Verdict.ToString(),
        Reads = diagnosis.Reads.Select(From).ToArray(),
        DamagedRanges = diagnosis.DamagedRanges.Select(From).ToArray(),
        HasBlockMap = diagnosis.HasBlockMap,
        Explanation = diagnosis.Explanation,
        Recommendation = diagnosis.Recommendation,
    };

    /// <summary>A file that is right needs no model, and none is looked for.</summary>
    private static string? NameOf(BlobTarget target, bool isRight) => (target.Name ?? (isRight ? null : target.Owner?.Manifest.Name))?.Shortest;

    private static ModelBlobRead From(DiagnosticRead read) => new()
    {
        ReadMode = read.Mode.ToString(),
        CacheDropped = read.IsCacheDropped,
        Digest = read.Digest?.ToString(),
        Matches = read.IsRight,
        Elapsed = read.Elapsed,
        Error = read.Error is null ? null : OutsideText.OneLine(read.Error),
    };

    private static ModelBlobDamage From(DamagedRange range) => new()
    {
        Offset = range.Offset,
        Length = range.Length,
        Pattern = range.Pattern.ToString(),
    };

    private static ModelManifestChoice From(ManifestListEntry entry) => new()
    {
        Runner = entry.Runner,
        Format = entry.Format,
        Digest = entry.Digest.ToString(),
        MediaType = entry.MediaType,
    };

    private static ModelLayer From(Layer layer) => new()
    {
        Kind = layer.Kind,
        MediaType = layer.MediaType,
        Digest = layer.Digest.ToString(),
        Name = layer.Name,
        Size = layer.Size,
    };

    private static double Rate(long bytes, TimeSpan elapsed) => elapsed > TimeSpan.Zero ? bytes / elapsed.TotalSeconds : 0;
}
