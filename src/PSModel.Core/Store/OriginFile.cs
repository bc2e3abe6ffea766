using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Store;

/// <summary>
/// Remembers of a model what its name and its manifest do not tell: from which registry it came, where that was over plain http or
/// from a mirror, and for which runner it was chosen from a list. So a blob of the store can be fetched again from there. Three lines:
/// the manifest's digest, the address, which may be empty, the model's whole name; and a fourth with the runner where there is one.
/// The same lines follow of what was there before, until the new one is written. Lost with the work folder. Stateless but for the file;
/// for one thread at a time.
/// </summary>
internal sealed class OriginFile(ModelStore store, ModelName name)
{
    private const string Prefix = "origin-";
    private const string NewSuffix = ".new";
    private const int MaximumBytes = 4096;

    /// <summary>The fewest; the runner is one more.</summary>
    private const int Lines = 3;

    /// <summary>After a call that was killed one of two manifests is there, and which one does not matter.</summary>
    private const int MostBefore = 2;

    /// <summary>With which the first of them begins, and no other.</summary>
    private const string Start = "sha256:";

    /// <summary>By the name's hash: not every file system holds a host with a port.</summary>
    private readonly string _fileName = Prefix + BlobDigest.Of(Encoding.UTF8.GetBytes(WholeName(name))).FileName;

    /// <summary>Where it lies.</summary>
    public string FilePath => Path.Combine(store.CommonWork, _fileName);

    /// <summary>The manifest with what was written of this very one.</summary>
    public Manifest Complete(Manifest manifest)
    {
        try
        {
            if (ReadRecords(FilePath).FirstOrDefault(record => record[0] == manifest.Digest.ToString()) is not { } lines)
            {
                return manifest;
            }

            string? runner = lines.Length > Lines && ManifestList.Runners.Contains(lines[3]) ? lines[3] : null;
            return manifest.From(IsAddress(lines[1]) ? lines[1] : null).For(manifest.Runner ?? runner, manifest.Format);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return manifest;
        }
    }

    /// <summary>The address from which the model was last saved, whichever manifest that was; <see langword="null"/> where it is not known.</summary>
    public string? TryReadOrigin()
    {
        try
        {
            return ReadRecords(FilePath).FirstOrDefault() is { } lines && IsAddress(lines[1]) ? lines[1] : null;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return null;
        }
    }

    /// <summary>Writes what is to be remembered of a manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="isInPlace">Whether it is written, so that what was there before is of no interest any more; if not, what was
    /// remembered of that stays.</param>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Write(Manifest manifest, bool isInPlace)
    {
        string? origin = manifest.Origin == $"{ModelName.DefaultScheme}://{name.Host}" ? null : manifest.Origin;
        List<string[]> before = isInPlace ? [] : [.. ReadRecords(FilePath).Where(record => record[0] != manifest.Digest.ToString()).Take(MostBefore)];
        if (origin is null && manifest.Runner is null && before.Count == 0)
        {
            DurableFile.Delete(FilePath);
            return;
        }

        string[] own = [manifest.Digest.ToString(), origin ?? string.Empty, WholeName(name), .. manifest.Runner is { } runner ? [runner] : Array.Empty<string>()];
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(own.Concat(before.SelectMany(record => record)).Select(line => $"{line}\n")));
        if (WorkFile.TryRead(FilePath, MaximumBytes)?.AsSpan().SequenceEqual(bytes) != true)
        {
            store.CreateWork();
            DurableFile.WriteWhole(store, bytes, Path.Combine(store.Work, _fileName + NewSuffix), FilePath);
        }
    }

    /// <summary>Whether a file of the work folder is one of these, or was about to become one, and of no use: the store has no such
    /// model.</summary>
    public static bool IsUseless(ModelStore store, string path)
    {
        string file = Path.GetFileName(path);
        if (!file.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        string[]? lines = file.EndsWith(NewSuffix, StringComparison.Ordinal) ? null : ReadRecords(path).FirstOrDefault();
        return !(lines is not null && ModelName.TryParse(lines[2], out ModelName? model, out _) && model.Pin is null && store.Manifests.Has(model));
    }

    /// <summary>Of each manifest its lines, that which was saved last first; none where any is no such record.</summary>
    private static List<string[]> ReadRecords(string path)
    {
        string text = WorkFile.TryRead(path, MaximumBytes) is { } bytes ? Encoding.UTF8.GetString(bytes) : string.Empty;
        List<List<string>> records = [];
        foreach (string line in text.Length > 0 && text[text.Length - 1] == '\n' ? text.Substring(0, text.Length - 1).Split('\n') : [])
        {
            if (line.StartsWith(Start, StringComparison.Ordinal))
            {
                records.Add([]);
            }

            if (records.Count == 0)
            {
                return [];
            }

            records[records.Count - 1].Add(line);
        }

        return records.TrueForAll(record => record.Count is Lines or (Lines + 1)) ? [.. records.Select(record => record.ToArray())] : [];
    }

    private static string WholeName(ModelName name) => $"{name.Host}/{name.Namespace}/{name.Model}:{name.Tag}";

    /// <summary>Others may write in the work folder, and what it says stands in messages and in commands to be pasted.</summary>
    private static bool IsAddress(string text) =>
        text == OutsideText.Of(text)
        && AddressText.TryRead(text, out Uri? address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address.UserInfo.Length == 0
        && address.Query.Length == 0;
}
