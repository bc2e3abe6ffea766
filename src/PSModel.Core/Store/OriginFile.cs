using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Store;

/// <summary>
/// Remembers from which registry a model came, where its name does not tell: over plain http, or from a mirror. So a blob of the
/// store can be fetched again from there. Three lines: the manifest's digest, the address, the model's whole name. Lost with the work
/// folder, and not missed by a name that tells. Stateless but for the file; for one thread at a time.
/// </summary>
internal sealed class OriginFile(ModelStore store, ModelName name)
{
    private const string Prefix = "origin-";
    private const string NewSuffix = ".new";
    private const int MaximumBytes = 4096;
    private const int Lines = 4;

    /// <summary>By the name's hash: not every file system holds a host with a port.</summary>
    private readonly string _fileName = Prefix + BlobDigest.Of(Encoding.UTF8.GetBytes(WholeName(name))).FileName;

    private string FilePath => Path.Combine(store.CommonWork, _fileName);

    /// <summary>The registry's address; <see langword="null"/> where none was written for this very manifest.</summary>
    public string? TryRead(BlobDigest manifest)
    {
        try
        {
            string[] lines = ReadLines(FilePath);
            return lines.Length == Lines && lines[0] == manifest.ToString() && IsAddress(lines[1]) ? lines[1] : null;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return null;
        }
    }

    /// <summary>Writes where a manifest came from, or removes what was written of another.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Write(Manifest manifest)
    {
        if (manifest.Origin is not { } origin || origin == $"{ModelName.DefaultScheme}://{name.Host}")
        {
            DurableFile.Delete(FilePath);
            return;
        }

        store.CreateWork();
        DurableFile.WriteWhole(store, Encoding.UTF8.GetBytes($"{manifest.Digest}\n{origin}\n{WholeName(name)}\n"), Path.Combine(store.Work, _fileName + NewSuffix), FilePath);
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

        string[] lines = file.EndsWith(NewSuffix, StringComparison.Ordinal) ? [] : ReadLines(path);
        return !(lines.Length == Lines && ModelName.TryParse(lines[2], out ModelName? model, out _) && store.HasManifest(model));
    }

    private static string[] ReadLines(string path) => WorkFile.TryRead(path, MaximumBytes) is { } bytes ? Encoding.UTF8.GetString(bytes).Split('\n') : [];

    private static string WholeName(ModelName name) => $"{name.Host}/{name.Namespace}/{name.Model}:{name.Tag}";

    /// <summary>Others may write in the work folder, and what it says stands in messages and in commands to be pasted.</summary>
    private static bool IsAddress(string text) =>
        text == OutsideText.Of(text)
        && AddressText.TryRead(text, out Uri? address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address.UserInfo.Length == 0
        && address.Query.Length == 0;
}
