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
/// Lost with the work folder. Stateless but for the file; for one thread at a time.
/// </summary>
internal sealed class OriginFile(ModelStore store, ModelName name)
{
    private const string Prefix = "origin-";
    private const string NewSuffix = ".new";
    private const int MaximumBytes = 4096;

    /// <summary>The last one ends in a line end, and nothing follows.</summary>
    private const int Lines = 4;

    /// <summary>By the name's hash: not every file system holds a host with a port.</summary>
    private readonly string _fileName = Prefix + BlobDigest.Of(Encoding.UTF8.GetBytes(WholeName(name))).FileName;

    /// <summary>Where it lies.</summary>
    public string FilePath => Path.Combine(store.CommonWork, _fileName);

    /// <summary>The manifest with what was written of this very one.</summary>
    public Manifest Complete(Manifest manifest)
    {
        try
        {
            string[] lines = ReadLines(FilePath);
            if (!IsWhole(lines) || lines[0] != manifest.Digest.ToString())
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
            string[] lines = ReadLines(FilePath);
            return IsWhole(lines) && IsAddress(lines[1]) ? lines[1] : null;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return null;
        }
    }

    /// <summary>Writes what is to be remembered of a manifest, or removes what was written of another.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void Write(Manifest manifest)
    {
        string? origin = manifest.Origin == $"{ModelName.DefaultScheme}://{name.Host}" ? null : manifest.Origin;
        if (origin is null && manifest.Runner is null)
        {
            DurableFile.Delete(FilePath);
            return;
        }

        store.CreateWork();
        string text = $"{manifest.Digest}\n{origin}\n{WholeName(name)}\n{(manifest.Runner is { } runner ? $"{runner}\n" : string.Empty)}";
        DurableFile.WriteWhole(store, Encoding.UTF8.GetBytes(text), Path.Combine(store.Work, _fileName + NewSuffix), FilePath);
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
        return !(IsWhole(lines) && ModelName.TryParse(lines[2], out ModelName? model, out _) && model.Pin is null && store.Manifests.Has(model));
    }

    private static string[] ReadLines(string path) => WorkFile.TryRead(path, MaximumBytes) is { } bytes ? Encoding.UTF8.GetString(bytes).Split('\n') : [];

    private static bool IsWhole(string[] lines) => lines.Length is Lines or (Lines + 1);

    private static string WholeName(ModelName name) => $"{name.Host}/{name.Namespace}/{name.Model}:{name.Tag}";

    /// <summary>Others may write in the work folder, and what it says stands in messages and in commands to be pasted.</summary>
    private static bool IsAddress(string text) =>
        text == OutsideText.Of(text)
        && AddressText.TryRead(text, out Uri? address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address.UserInfo.Length == 0
        && address.Query.Length == 0;
}
