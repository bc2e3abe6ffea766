using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>Saves into a store in which a later Ollama works too.</summary>
public abstract class SharedWithOllamaTests(string? parent = null) : EngineTests(parent)
{
    private protected static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "latest", 5 * MB);
    private protected static readonly LoopbackModel Old = LoopbackModel.Generate("library/demo", "latest", 1 * MB, seed: 2);

    /// <summary>The registry of a test has no port on Windows, so that this tree holds its name there as well.</summary>
    private protected string[] Plain => [Registry.Address.Authority, "library", "demo", "latest"];

    /// <summary>Wine says that it makes symbolic links, and does not.</summary>
    private protected static EntryKind Kind => OperatingSystem.IsWindows() ? EntryKind.HardLink : EntryKind.Link;

    private protected string[] Entry => [Registry.Address.Authority.Replace(":", "%3A", StringComparison.Ordinal), "library", "demo", "latest"];

    private protected OllamaStore Store => new(Folder.Path);

    /// <summary>Does something once, between the writing of a manifest and the look at what is there.</summary>
    private protected void InBetween(Action action) => Watcher.OnTold = message =>
    {
        if (message.StartsWith("The manifest is at", StringComparison.Ordinal))
        {
            Watcher.OnTold = null;
            action();
        }
    };

    private protected string[] ManifestsLeft() => FilesOf("manifests");

    private protected string[] EntriesLeft() => FilesOf("manifests-v2");

    private protected string[] FilesOf(string tree) =>
        Directory.Exists(Path.Combine(Folder.Path, tree)) ? Directory.GetFiles(Path.Combine(Folder.Path, tree), "*", SearchOption.AllDirectories) : [];

    private protected void AgeBlobs() => Array.ForEach(Directory.GetFiles(Folder.Blobs), blob => File.SetLastWriteTimeUtc(blob, DateTime.UtcNow.AddHours(-5)));

    private protected string[] Links() => Directory.GetFiles(Folder.Work, "*.kept");

    private protected void AssertNoLinks() => Assert.Empty(Links());
}
