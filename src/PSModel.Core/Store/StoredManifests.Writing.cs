using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <content>How manifests come into the store.</content>
public sealed partial class StoredManifests
{
    private const string Temporary = "manifest-";

    private const int MostTries = 3;

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
                _entries.Find(name).ToList().ForEach(entry => RequireRemovable(entry.Path));
            }
        });
        return path;
    }

    /// <summary>Whether <see cref="Write"/> would change nothing.</summary>
    internal bool IsWritten(Manifest manifest)
    {
        try
        {
            string path = PathOf(manifest.Name);
            return TreeFor(manifest.Name) == _manifests
                ? IsAt(manifest, path) && !_entries.Find(manifest.Name).Any()
                : IsAt(manifest, path) && IsAt(manifest, _store.BlobPath(manifest.Digest));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            return false;
        }
    }

    /// <summary>Writes a manifest, byte for byte, whole or not at all.</summary>
    /// <returns>What was there before; <see langword="null"/> where nothing was, or nothing that could be read.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> or
    /// <see cref="ModelFault.StoreWriteFailed"/>.</exception>
    internal byte[]? Write(Manifest manifest)
    {
        string path = RequireWritable(manifest.Name);
        byte[]? before = TryReadFile(path);
        byte[] bytes = manifest.GetBytes();
        if (TreeFor(manifest.Name) == _entries)
        {
            // An entry must lead to a blob, and may be a copy of it.
            WriteWhole(bytes, _store.BlobPath(manifest.Digest), levels: 1);
        }

        WriteWhole(bytes, path, ManifestTree.TagLevels);
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
            StoreFault.Guard(_store, _entries.Folder, () => _entries.Find(name).ToList().ForEach(entry => DurableFile.Delete(entry.Path)));
        }
    }

    /// <summary>Puts back what was there before a manifest whose blobs another program has taken away, if that is still there.</summary>
    /// <exception cref="ModelFaultException">The store cannot be written.</exception>
    internal void Withdraw(Manifest manifest, byte[]? before)
    {
        string path = PathOf(manifest.Name);
        if (!IsAt(manifest, path))
        {
            return;
        }

        if (before is not null)
        {
            WriteWhole(before, path, ManifestTree.TagLevels);
        }
        else
        {
            StoreFault.Guard(_store, path, () => DurableFile.Delete(path));
        }
    }

    /// <summary>Whether a file of the work folder is a manifest that was being written.</summary>
    internal static bool IsTemporary(string fileName) =>
        fileName.StartsWith(Temporary, StringComparison.Ordinal) && Guid.TryParseExact(fileName.Substring(Temporary.Length), "N", out _);

    /// <summary>Where an entry stays, what is written is covered by it.</summary>
    private static void RequireRemovable(string path)
    {
        if (Path.DirectorySeparatorChar != '\\' && Path.GetDirectoryName(path) is { } folder && Directory.Exists(folder) && !UnixFile.CanWrite(folder))
        {
            throw new UnauthorizedAccessException($"'{path}', which a later Ollama reads first, cannot be removed.");
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

        for (int tries = 1; ; tries++)
        {
            try
            {
                Put(bytes, path, levels);
                return;
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && tries < MostTries)
            {
                // Ollama has removed the folder, which was empty still.
            }
        }
    });

    private void Put(byte[] bytes, string path, int levels)
    {
        string folder = Path.GetDirectoryName(path)!;
        DurableFile.CreateFolder(_store, folder);

        // Beside means a work folder: whatever lies four levels deep under one of the trees counts as a model.
        string work = WorkFolder.For(_store.Root, folder, levels);
        _store.CreateWork(work);
        string temporary = Path.Combine(work, $"{Temporary}{Guid.NewGuid():N}");
        try
        {
            DurableFile.WriteWhole(_store, bytes, temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
