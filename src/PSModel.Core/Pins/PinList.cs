using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Pins;

/// <summary>
/// A file of pinned models: UTF-8, a line of JSON for each, <c>{"name":"demo:1b@sha256:…","origin":"https://registry.ollama.ai"}</c>.
/// Empty lines count for nothing, nor do other properties. Stateless and thread-safe.
/// </summary>
public static class PinList
{
    private const string NameProperty = "name";
    private const string OriginProperty = "origin";
    private const string RunnerProperty = "runner";

    /// <summary>A hundred thousand models.</summary>
    private const long LongestList = 64L * 1024 * 1024;

    /// <summary>What stands in a list is shown, so signs of other scripts may stand as they are.</summary>
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Writes a list, whole or not at all.</summary>
    /// <param name="path">An absolute path; a file that is there is replaced.</param>
    /// <param name="models">In the order of the lines.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreWriteFailed"/>, or <see cref="ModelFault.BlobInUse"/> where
    /// another program holds the file.</exception>
    public static void Write(string path, IEnumerable<PinnedModel> models)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(models.Select(model => LineOf(model) + "\n")));
        string beside = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            DurableFile.WriteWhole(() => new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None), text, beside, path);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            TryDelete(beside);
            throw HeldFile.IsReason(e) ? InUse(path, e) : new ModelFaultException(ModelFault.StoreWriteFailed, $"The list '{path}' cannot be written: {e.Message}", new FaultFacts { Path = path, Remedy = "Check the path, and whether you may write there." }, e);
        }
    }

    /// <summary>Reads a list.</summary>
    /// <param name="path">An absolute path.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/> where there is none that can be read, or
    /// <see cref="ModelFault.ManifestInvalid"/> with the line that is none, or <see cref="ModelFault.BlobInUse"/>.</exception>
    public static IReadOnlyList<PinnedModel> Read(string path)
    {
        string[] lines;
        try
        {
            string? problem = FileFacts.TryRead(path) switch
            {
                null => "there is no such file.",
                { IsFile: false } => "it is no file.",
                { Size: > LongestList } => $"it has more than {ByteText.Of(LongestList)}.",
                _ => null,
            };
            lines = HeldFile.Open(path, () => problem is null ? File.ReadAllLines(path) : throw new FileNotFoundException(problem));
        }
        catch (HeldFileException e)
        {
            throw InUse(path, e);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw new ModelFaultException(ModelFault.ManifestNotFound, $"The list '{path}' cannot be read: {e.Message}", new FaultFacts { Path = path, Remedy = "Check the path." }, e);
        }

        return [.. lines.Select((line, index) => (line, index)).Where(each => each.line.Trim().Length > 0).Select(each => ReadLine(path, each.index + 1, each.line))];
    }

    private static string LineOf(PinnedModel model)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter json = new(line, new JsonWriterOptions { Encoder = Encoder }))
        {
            json.WriteStartObject();
            json.WriteString(NameProperty, model.Name.ToString());
            json.WriteString(OriginProperty, model.Origin);
            if (model.Runner is not null)
            {
                json.WriteString(RunnerProperty, model.Runner);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(line.ToArray());
    }

    private static PinnedModel ReadLine(string path, int number, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            bool isObject = document.RootElement.ValueKind == JsonValueKind.Object;
            string? name = isObject ? ManifestJson.Text(document.RootElement, NameProperty) : null;
            string? origin = isObject ? ManifestJson.Text(document.RootElement, OriginProperty) : null;
            return !ModelName.TryParse(name, out ModelName? model, out string? problem) ? throw Invalid($"its name is none: {problem}")
                : model.Pin is null ? throw Invalid("its name has no digest")
                : new PinnedModel(model, string.IsNullOrEmpty(origin) ? $"{model.Scheme}://{model.Host}" : OutsideText.Of(origin), ManifestList.KnownRunner(ManifestJson.Runner(document.RootElement)));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Invalid("it is no JSON");
        }

        ModelFaultException Invalid(string why) => new(
            ModelFault.ManifestInvalid,
            $"Line {number} of the list '{path}' pins no model: {why}.",
            new FaultFacts { Path = path, Remedy = "A line is {\"name\":\"demo:1b@sha256:...\",\"origin\":\"https://registry.ollama.ai\"}, as Export-ModelPin writes it." });
    }

    private static ModelFaultException InUse(string path, Exception e) =>
        HeldFile.Fault($"The list '{path}'", e, new FaultFacts { Path = path });

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // That the list was not written is what has to be heard.
        }
    }
}
