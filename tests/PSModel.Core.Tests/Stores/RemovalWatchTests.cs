using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>Programs that remove blobs for longer than a moment, or at any.</summary>
public sealed class RemovalWatchTests() : SharedWithOllamaTests(TemporaryFolder.WithLinks)
{
    [Fact]
    public async Task A_clean_up_that_takes_its_time_is_waited_for()
    {
        Store.PutBlobs(Model);
        Options.RemovalTime = TimeSpan.FromSeconds(2);
        Task? removal = null;
        Watcher.OnTold = message =>
        {
            if (message.StartsWith("No other manifest", StringComparison.Ordinal))
            {
                removal = Task.Run(async () =>
                {
                    foreach (BlobContent blob in Model.Blobs)
                    {
                        await Task.Delay(Options.RemovalTime / 4);
                        File.Delete(Folder.Blob(blob.Digest));
                    }
                });
            }
        };
        await Watcher.SaveAsync(this, Model);
        await removal!;
        Assert.All(Model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
    }

    [Fact]
    public async Task Beside_rm_and_cp_that_come_at_any_moment_every_manifest_has_its_blobs()
    {
        const int Rounds = 12;
        Options.RemovalTime = TimeSpan.FromSeconds(2);
        string[] other = ["registry.ollama.ai", "library", "other", "latest"];
        string[] copied = ["registry.ollama.ai", "library", "copied", "latest"];
        Random random = new(7);
        int saves = 0;
        int told = 0;

        // What it found is acted on in the time that it is given for that.
        Watcher.OnTold = message => Interlocked.Add(ref told, message.StartsWith("No other manifest", StringComparison.Ordinal) ? 100 : 1);
        for (int round = 0; round < Rounds; round++)
        {
            // All of it is there and named by another model, which goes.
            Store.PutBlobs(Model);
            Store.PutManifest(Model.Manifest, other);
            told = 0;
            Queue<int> moments = new([random.Next(4), random.Next(6), random.Next(6)]);
            bool isSaved = false;
            void Wait()
            {
                if (moments.TryDequeue(out int moment))
                {
                    Until.HoldsAsync(() => Volatile.Read(ref told) >= moment || Volatile.Read(ref isSaved)).GetAwaiter().GetResult();
                }
            }

            Task removal = Task.Run(() =>
            {
                Wait();
                Store.Remove(Wait, other);
                if (ManifestsLeft() is [string saved])
                {
                    Store.PutManifest(File.ReadAllBytes(saved), copied);
                }
            });
            try
            {
                await Watcher.SaveAsync(this, Model);
                saves++;
            }
            catch (ModelFaultException e)
            {
                // It went before all of the model was found to be there.
                Assert.Equal(ModelFault.BlobNotFound, e.Fault);
                Assert.Empty(ManifestsLeft());
            }

            Volatile.Write(ref isSaved, true);
            await removal;
            Assert.All(ManifestsLeft(), _ => Assert.All(Model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest))));
            AssertNoLinks();
            Array.ForEach(ManifestsLeft(), File.Delete);
        }

        Assert.NotEqual(0, saves);
    }

    [NeedsFact("mount", Root = true)]
    public async Task On_the_overlay_of_a_container_no_blob_of_the_image_is_copied()
    {
        using TemporaryFolder parts = new(TemporaryFolder.WithLinks);
        string Make(string name) => Directory.CreateDirectory(Path.Combine(parts.Path, name)).FullName;
        (string image, string upper, string work, string all) = (Make("image"), Make("upper"), Make("work"), Make("all"));
        new OllamaStore(image).PutBlobs(Model);
        await ChildProcess.RunAsync("mount", "-t", "overlay", "overlay", "-o", $"lowerdir={image},upperdir={upper},workdir={work}", all);
        try
        {
            string name = Registry.Offer(Model);
            using RegistryClient client = new(RegistryOptions);
            ModelSaver saver = new(client, new ModelStore(all), Options);
            Manifest manifest = client.GetManifest(ModelName.Parse(name), CancellationToken.None);
            await saver.SaveAsync([new ModelRequest(name, _ => manifest)], [], Watcher, CancellationToken.None);
            Assert.Single(Directory.GetFiles(Path.Combine(upper, "manifests"), "*", SearchOption.AllDirectories));
            Assert.Empty(Directory.GetFiles(upper, "sha256-*", SearchOption.AllDirectories));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", all);
        }
    }
}
