using System.Runtime.InteropServices;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>A list of manifests of one model, one for each program that runs it. Immutable.</summary>
/// <remarks>The media type is <c>application/vnd.ollama.manifest.list.v2+json</c>, of Ollama's change 16590.</remarks>
internal sealed class ManifestList(ModelName name, string source, IReadOnlyList<ManifestListEntry> entries)
{
    private static readonly string?[] Order = ["llamacpp", "ggml", "mlx"];

    private static readonly string?[] OrderOfAppleSilicon = ["mlx", "llamacpp", "ggml"];

    /// <summary>The runners that Ollama knows, in its order.</summary>
    public static IReadOnlyList<string?> Runners => Order;

    /// <summary>A runner that is known; <see langword="null"/> for others.</summary>
    public static string? KnownRunner(string? runner) => Order.Contains(runner) ? runner : null;

    /// <summary>Its manifests in the order of its text.</summary>
    public IReadOnlyList<ManifestListEntry> Entries => entries;

    /// <summary>Chooses one as Ollama does, or by the runner that was asked for.</summary>
    /// <param name="runner">The runner; <see langword="null"/> for the first one that Ollama would take.</param>
    /// <param name="isThere">Whether a manifest can be had; without it all can.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/>, with the runners that there are.</exception>
    public ManifestListEntry Choose(string? runner, Func<ManifestListEntry, bool>? isThere = null) =>
        Choose(runner, isThere ?? (_ => true), RuntimeInformation.IsOSPlatform(OSPlatform.OSX) && RuntimeInformation.OSArchitecture == Architecture.Arm64);

    /// <summary>Chooses as one kind of machine does.</summary>
    internal ManifestListEntry Choose(string? runner, Func<ManifestListEntry, bool> isThere, bool isAppleSilicon)
    {
        // One that names no runner is for all of them.
        string?[] wanted = runner is null ? [.. isAppleSilicon ? OrderOfAppleSilicon : Order, null] : [runner];
        return wanted
            .SelectMany(each => entries.Where(entry => entry.Runner == each))
            .FirstOrDefault(isThere)
            ?? throw new ModelFaultException(
                ModelFault.ManifestNotFound,
                $"The list of manifests of {name.Shortest} at {source} has none {(runner is null ? "that a known runner takes" : $"for the runner '{runner}'")}{(wanted.Any(each => entries.Any(entry => entry.Runner == each)) ? " whose manifest is there" : string.Empty)}. It has: {string.Join(", ", entries.Select(entry => entry.Runner ?? "one without a runner").Distinct())}.",
                new FaultFacts { Name = name.Shortest, Path = source, Remedy = entries.Any(entry => Runners.Contains(entry.Runner) && isThere(entry)) ? "Name one that it has by -Runner." : "A later version may know what runs it." });
    }
}
