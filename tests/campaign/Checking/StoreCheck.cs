using System.Security.Cryptography;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Campaign.Checking;

/// <summary>What must hold of a store at any time, whatever happened to it.</summary>
internal sealed class StoreCheck(string root, Checker checker)
{
    private const string BlobPrefix = "sha256-";

    /// <summary>Names of blobs that the scenario itself has damaged, and that are not repaired yet.</summary>
    public HashSet<string> Damaged { get; } = [];

    private string Blobs => Path.Combine(root, "blobs");

    /// <summary>Looks at every blob and manifest, and for open files.</summary>
    public void Look(bool areHandlesOurs = true)
    {
        LookAtBlobs();
        LookAtManifests();
        if (areHandlesOurs)
        {
            LookAtHandles();
        }
    }

    /// <summary>The hash of a file, in hexadecimal.</summary>
    public static string HashOf(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static string[] Files(string folder) => Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder) : [];

    private void LookAtBlobs()
    {
        foreach (string path in Files(Blobs))
        {
            string name = Path.GetFileName(path);
            bool isBlob = name.StartsWith(BlobPrefix, StringComparison.Ordinal) && File.Exists(path);
            checker.That(isBlob, "blobs alone", () => $"'{path}' is no blob");
            if (isBlob && !Damaged.Contains(name))
            {
                string hash = HashOf(path);
                checker.That(name == BlobPrefix + hash, "right blobs", () => $"'{path}' holds the bytes of {hash}");
            }
        }
    }

    private void LookAtManifests()
    {
        string folder = Path.Combine(root, "manifests");
        foreach (string path in Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : [])
        {
            try
            {
                Manifest manifest = ManifestReader.Read(ModelName.Parse("campaign"), path, File.ReadAllBytes(path));
                foreach (Layer layer in manifest.Blobs)
                {
                    FileInfo blob = new(Path.Combine(Blobs, layer.Digest.FileName));
                    checker.That(
                        blob.Exists && (blob.Length == layer.Size || Damaged.Contains(blob.Name)),
                        "manifests after their blobs",
                        () => $"'{path}' names {layer.Digest} of {layer.Size} bytes, and there is {(blob.Exists ? $"one of {blob.Length}" : "none")}");
                }
            }
            catch (ModelFaultException e)
            {
                checker.That(false, "whole manifests", () => $"'{path}': {e.Message}");
            }
        }
    }

    private void LookAtHandles()
    {
        List<string> open = [];
        foreach (string link in Directory.Exists("/proc/self/fd") ? Directory.GetFiles("/proc/self/fd") : [])
        {
            try
            {
                if (File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName is { } target && target.StartsWith(root, StringComparison.Ordinal))
                {
                    open.Add(target);
                }
            }
            catch (IOException)
            {
                // Closed since the list was made.
            }
        }

        checker.That(open.Count == 0, "no open files", () => string.Join(", ", open));
    }
}
