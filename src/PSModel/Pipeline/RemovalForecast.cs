using PSModel.Core.Faults;
using PSModel.Core.Removal;

namespace PSModel.Pipeline;

/// <summary>What a removal would do, in words, and summed up for -WhatIf. For the pipeline thread alone.</summary>
internal sealed class RemovalForecast
{
    private readonly Dictionary<string, RemovedFile> _files = [];

    /// <summary>Leave is asked for files.</summary>
    public void Add(RemovalStep step)
    {
        foreach (RemovedFile file in step.Files)
        {
            _files[file.Path] = file;
        }
    }

    /// <summary>The sum in a sentence; <see langword="null"/> where there was nothing to remove.</summary>
    public string? Sum() => _files.Count == 0 ? null : $"In all, {Of(RemovedKind.Manifest, "manifest")}, {Of(RemovedKind.Blob, "blob")} and {Of(RemovedKind.Partial, "unfinished file")} would be removed, {ByteText.Of(_files.Values.Sum(file => file.Size))} together.";

    /// <summary>What a step is about.</summary>
    public static string TargetOf(RemovalStep step) => step.Name?.Shortest ?? step.Digest?.ToString() ?? step.Files[0].Path;

    /// <summary>What a step does.</summary>
    public static string ActionOf(RemovalStep step)
    {
        if (step.Name is not null)
        {
            int blobs = step.Files.Count(file => file.Kind == RemovedKind.Blob);
            string shared = step.Shared == 0 ? string.Empty : $"; {CountOf(step.Shared, "blob")} {(step.Shared == 1 ? "stays" : "stay")}, since other models need {(step.Shared == 1 ? "it" : "them")}";
            return $"Remove model with {CountOf(blobs, "blob")}, {ByteText.Of(step.Bytes)}{shared}";
        }

        return $"Remove {(step.Files[0].Kind == RemovedKind.Blob ? "unused blob" : "unfinished work")}, {ByteText.Of(step.Bytes)}";
    }

    private static string CountOf(int count, string what) => $"{count} {what}{(count == 1 ? string.Empty : "s")}";

    private string Of(RemovedKind kind, string what) => CountOf(_files.Values.Count(file => file.Kind == kind), what);
}
