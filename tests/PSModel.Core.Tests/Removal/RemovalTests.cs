using System.Text;
using System.Text.Json;
using PSModel.Core.Names;
using PSModel.Core.Removal;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Removal;

/// <summary>Stores as Ollama's versions leave them, of models whose blobs are small texts.</summary>
public abstract class RemovalTests : IDisposable
{
    private protected const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    private protected const string List = "application/vnd.ollama.manifest.list.v2+json";

    private protected RemovalTests() => Store = new OllamaStore(Folder.Path);

    /// <summary>Wine says that it makes symbolic links, and does not.</summary>
    public static TheoryData<EntryKind> Kinds => OperatingSystem.IsWindows() ? [EntryKind.HardLink, EntryKind.Copy] : [EntryKind.Link, EntryKind.HardLink, EntryKind.Copy];

    private protected TemporaryFolder Folder { get; } = new();

    private protected OllamaStore Store { get; }

    private protected RemovalWatcher Watcher { get; } = new();

    /// <summary>The blobs that are there, as their texts; what is no text of ours by its name.</summary>
    private protected IEnumerable<string> BlobsLeft => Directory.Exists(Folder.Blobs)
        ? Directory.GetFiles(Folder.Blobs).Select(path => new FileInfo(path).Length < 20 ? File.ReadAllText(path) : Path.GetFileName(path)).Order(StringComparer.Ordinal)
        : [];

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private protected static string Digest(string text) => OllamaStore.DigestOf(Bytes(text));

    /// <summary>A manifest whose config is the first text, and whose layers are the others.</summary>
    private protected static byte[] Manifest(params string[] texts) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        schemaVersion = 2,
        mediaType = DockerManifest,
        config = new { mediaType = "application/vnd.docker.container.image.v1+json", digest = Digest(texts[0]), size = texts[0].Length },
        layers = texts.Skip(1).Select(text => new { mediaType = "application/vnd.ollama.image.model", digest = Digest(text), size = text.Length }),
    });

    private protected static string[] Parts(string model) => ["registry.ollama.ai", "library", model, "latest"];

    private protected static string[] EntryParts(string model) => ["ollama.com", "library", model, "latest"];

    private protected string PutBlob(string text) => Store.PutBlob(Bytes(text));

    /// <summary>Puts a model and its blobs there, into the tree that every Ollama reads.</summary>
    private protected void Put(string model, params string[] texts)
    {
        Array.ForEach(texts, text => PutBlob(text));
        Store.PutManifest(Manifest(texts), Parts(model));
    }

    private protected void PutWork(string text, string extension, string content = "work")
    {
        Directory.CreateDirectory(Folder.Work);
        File.WriteAllText(WorkPath(text, extension), content);
    }

    private protected string WorkPath(string text, string extension) => Path.Combine(Folder.Work, $"{Digest(text).Replace(':', '-')}.{extension}");

    private protected void Age() => Array.ForEach(Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories), path => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-2)));

    private protected void Remove(params string[] models)
    {
        ModelRemover remover = Remover();
        Array.ForEach(models, model => remover.RemoveModel(ModelName.Parse(model), default));
        remover.Finish(default);
    }

    private protected ModelRemover Remover(bool isDryRun = false) => new(new ModelStore(Folder.Path), Watcher, isDryRun);

    private protected string[] FilesOf(string tree) =>
        Directory.Exists(Path.Combine(Folder.Path, tree)) ? Directory.GetFileSystemEntries(Path.Combine(Folder.Path, tree), "*", SearchOption.AllDirectories) : [];
}
