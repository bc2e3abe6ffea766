using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>Saves over a model, in each of the states in which Ollama's versions leave one.</summary>
public sealed class SavedOverStoreTests : SharedWithOllamaTests
{
    [Theory]
    [InlineData("nothing")]
    [InlineData("file")]
    [InlineData("entry")]
    [InlineData("hard link")]
    [InlineData("copy")]
    [InlineData("dangling")]
    [InlineData("dangling beside a file")]
    [InlineData("both")]
    [InlineData("anchor")]
    [InlineData("list")]
    [InlineData("list beside its anchor")]
    public async Task Whatever_there_was_of_a_model_what_is_saved_is_what_every_Ollama_has_then(string state)
    {
        byte[] list = OllamaStore.ListOf(("llamacpp", "gguf", Old.Manifest));
        Store.PutBlobs(Old);
        Leave(state, list);

        await Watcher.SaveAsync(this, Model);

        ModelStore store = new(Folder.Path);
        Assert.Equal(Model.Manifest, store.Manifests.Read(Assert.Single(store.Manifests.FindNames())).GetBytes());
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Assert.Single(ManifestsLeft())));
        Assert.Equal(Store.ManifestPath(Plain), Assert.Single(ManifestsLeft()));
        Assert.Empty(EntriesLeft());
        AgeBlobs();
        Store.Prune();
        Assert.Equal(Model.Blobs.Select(blob => Folder.Blob(blob.Digest)).Order(), Directory.GetFiles(Folder.Blobs).Order());
    }

    /// <summary>Leaves an old model as one of Ollama's versions does.</summary>
    private void Leave(string state, byte[] list)
    {
        if (state.Contains("list", StringComparison.Ordinal))
        {
            Store.PutBlob(Old.Manifest);
            Store.PutEntry(Kind, list, Entry);
        }
        else if (state is not ("nothing" or "file"))
        {
            Store.PutEntry(state == "copy" ? EntryKind.Copy : state == "hard link" ? EntryKind.HardLink : Kind, Old.Manifest, Entry);
        }

        if (state is "file" or "both" or "dangling beside a file")
        {
            Store.PutManifest(Old.Manifest, Plain);
        }
        else if (state.Contains("anchor", StringComparison.Ordinal))
        {
            Store.PutManifest(OllamaStore.Anchored(Old.Manifest, Old.Manifest, list), Plain);
        }

        if (state.Contains("dangling", StringComparison.Ordinal))
        {
            File.Delete(Folder.Blob(OllamaStore.DigestOf(Old.Manifest)));
        }
    }
}
