using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <content>How manifests come into the store.</content>
public sealed partial class StoredManifests
{
    private const string Temporary = "manifest-";

    private const int MostTries = 100;

    private static readonly string[] Deeper = ["manifests", "being", "written"];

    /// <summary>Sees that a model's manifest can be written.</summary>
    /// <returns>Where.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/> where the file system cannot hold the name,
    /// or takes it for another one that the store has.</exception>
    internal string RequireWritable(ModelName name)
    {
        ManifestTree tree = TreeFor(name);
        string path = tree.PathOf(name);
        StoreFault.Guard(_store, path, () =>
        {
            StoreNames.RequireOneSpelling(name, tree.Folder, tree.PartsOf(name));
            if (tree == _manifests)
            {
                _entries.Find(name).Select(entry => entry.Path).Concat(PathsOf(name).Skip(1)).ToList().ForEach(RequireRemovable);
            }
        });
        return path;
    }

    /// <summary>Whether <see cref="Write"/> would change nothing.</summary>
    internal bool IsWritten(Manifest manifest)
    {
        try
        {
            return PathsOf(manifest.Name).All(path => IsAt(manifest, path))
                && (TreeFor(manifest.Name) == _manifests ? !_entries.Find(manifest.Name).Any() : IsAt(manifest, _store.BlobPath(manifest.Digest)));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            return false;
        }
    }

    /// <summary>Writes a manifest, byte for byte, whole or not at all.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="earlier">What an earlier try replaced.</param>
    /// <returns>What was there before, for <see cref="Withdraw"/>; where that was this manifest, what was there before the earlier try.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> or
    /// <see cref="ModelFault.StoreWriteFailed"/>.</exception>
    internal IReadOnlyList<ReplacedManifest> Write(Manifest manifest, IReadOnlyList<ReplacedManifest>? earlier = null)
    {
        string path = RequireWritable(manifest.Name);
        byte[] bytes = manifest.GetBytes();
        List<ReplacedManifest> before = [.. PathsOf(manifest.Name).Select(each => new ReplacedManifest(each, TryReadFile(each)))
            .Select(each => each.Bytes?.AsSpan().SequenceEqual(bytes) == true && earlier?.FirstOrDefault(other => other.Path == each.Path) is { } first ? first : each)];
        if (TreeFor(manifest.Name) == _entries)
        {
            // An entry must lead to a blob, and may be a copy of it. One that was there long ago is young again, until the entry is there.
            string blob = _store.BlobPath(manifest.Digest);
            WriteWhole(bytes, blob, levels: 1);
            TryTouch(blob);
        }

        before.ForEach(each => WriteWhole(bytes, each.Path, ManifestTree.TagLevels));
        return before;
    }

    /// <summary>Removes what leads a later Ollama to another manifest than the one in <c>manifests/</c>: it would go on with the old
    /// model, and remove the blobs of the new one. After a crash before it the same call does it.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> or
    /// <see cref="ModelFault.StoreWriteFailed"/>.</exception>
    internal void Uncover(ModelName name)
    {
        if (TreeFor(name) == _manifests)
        {
            foreach (StoredName entry in _entries.Find(name).ToList())
            {
                try
                {
                    StoreFault.Guard(_store, entry.Path, () => DurableFile.Delete(entry.Path));
                }
                catch (ModelFaultException e)
                {
                    e.Facts.Remedy = $"The new manifest of {name.Shortest} is written, but a later Ollama reads '{entry.Path}' first: it goes on with the model from before, and removes the new blobs when it starts. Remove that file, or let go of it, and run the same command again.";
                    throw;
                }
            }
        }
    }

    /// <summary>Puts back what was there before a manifest whose blobs another program has taken away, if that is still there.</summary>
    /// <exception cref="ModelFaultException">The store cannot be written.</exception>
    internal void Withdraw(Manifest manifest, IReadOnlyList<ReplacedManifest> before)
    {
        ModelFaultException? failure = null;
        foreach (ReplacedManifest each in before.Where(each => IsAt(manifest, each.Path)))
        {
            // On a full disk: to remove a file takes no room, and may give what the other needs.
            failure = TryRestore(each) is null ? failure : TryRestore(each with { Bytes = null }) ?? TryRestore(each) ?? failure;
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    private ModelFaultException? TryRestore(ReplacedManifest each)
    {
        try
        {
            if (each.Bytes is not null)
            {
                WriteWhole(each.Bytes, each.Path, ManifestTree.TagLevels);
            }
            else
            {
                StoreFault.Guard(_store, each.Path, () => DurableFile.Delete(each.Path));
            }

            return null;
        }
        catch (ModelFaultException e)
        {
            return e;
        }
    }

    private static void TryTouch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // Another user's; an entry leads to it in a moment.
        }
    }

    /// <summary>Whether a file of the work folder is a manifest that was being written.</summary>
    internal static bool IsTemporary(string fileName) =>
        fileName.StartsWith(Temporary, StringComparison.Ordinal) && Guid.TryParseExact(fileName.Substring(Temporary.Length), "N", out _);

    /// <summary>Where a manifest is written: in its place, and over what there is of the model under the other name of its host, or in
    /// other letters. To a later Ollama they are one model, and it may take either.</summary>
    private string[] PathsOf(ModelName name)
    {
        string path = PathOf(name);
        return TreeFor(name) == _manifests ? [path, .. _manifests.Find(name).Where(found => found.Path != path).Select(found => found.Path)] : [path];
    }

    /// <summary>Where another file of the model stays, what is written is covered by it.</summary>
    private static void RequireRemovable(string path)
    {
        if (Path.DirectorySeparatorChar != '\\' && Path.GetDirectoryName(path) is { } folder && Directory.Exists(folder) && !UnixFile.CanWrite(folder))
        {
            throw new UnauthorizedAccessException($"'{path}', which a later Ollama reads first, cannot be removed or replaced.");
        }
    }

    /// <summary>What cannot be read is something else, and can be replaced.</summary>
    private static bool IsAt(byte[] bytes, string path) => TryReadFile(path)?.AsSpan().SequenceEqual(bytes) == true;

    private static bool IsAt(Manifest manifest, string path) => IsAt(manifest.GetBytes(), path);

    private static byte[]? TryReadFile(string path)
    {
        try
        {
            return File.Exists(path) ? ManifestFile.Read(path) : null;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return null;
        }
    }

    private void WriteWhole(byte[] bytes, string path, int levels) => StoreFault.Guard(_store, path, () =>
    {
        if (IsAt(bytes, path))
        {
            return;
        }

        // Beside means a work folder: whatever lies four levels deep under one of the trees counts as a model.
        string folder = Path.GetDirectoryName(path)!;
        HashSet<string> made = [];
        Insist(() => made.UnionWith(DurableFile.MakeFolders(_store, folder)), () => false);
        string work = WorkFolder.For(_store.Root, folder, levels);
        _store.CreateWork(work);
        if (WorkFolder.CommonOf(work) != Path.Combine(_store.Root, WorkFolder.Name))
        {
            // It lies within the tree then, which is a volume of its own or has one: so deep that whatever folder that is, it counts as nothing.
            _store.CreateWork(work = Path.Combine([work, .. Deeper]));
        }

        string temporary = Path.Combine(work, $"{Temporary}{Guid.NewGuid():N}");
        try
        {
            DurableFile.WriteFlushed(() => WorkFile.Create(_store, temporary), bytes);
            Insist(
                () =>
                {
                    // Nothing takes its time between the two.
                    made.UnionWith(DurableFile.MakeFolders(_store, folder));
                    DurableFile.Replace(temporary, path);
                    DurableFile.SyncAbove(made);
                },
                () => !File.Exists(temporary));
        }
        finally
        {
            File.Delete(temporary);
        }
    });

    /// <summary>Ollama removes all folders that are empty, when it starts and when it removes a model; so one may be gone at once.</summary>
    private static void Insist(Action step, Func<bool> isDone)
    {
        for (int tries = 1; ; tries++)
        {
            try
            {
                step();
                return;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && tries < MostTries)
            {
                if (isDone())
                {
                    return;
                }
            }
        }
    }
}
