using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;

namespace PSModel.Core.Folders;

/// <summary>Makes the fault of an image layout's index that cannot be used. Immutable.</summary>
/// <param name="path">The index.</param>
internal sealed class LayoutFault(string path)
{
    /// <summary>Reads the text of an index, within the bounds of a manifest.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestInvalid"/>, with the reason.</exception>
    public T Read<T>(byte[] bytes, Func<JsonElement, T> read)
    {
        if (bytes.Length > ManifestReader.MaximumBytes)
        {
            throw Because($"it is longer than {ByteText.Of(ManifestReader.MaximumBytes)}");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object ? read(document.RootElement) : throw Because("it is not a JSON object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Because("it is not JSON");
        }
    }

    /// <summary><see cref="ModelFault.ManifestInvalid"/>, with the reason.</summary>
    public ModelFaultException Because(string reason) => new(ModelFault.ManifestInvalid, $"The image layout's index '{path}' cannot be used: {reason}.", new FaultFacts { Path = path });
}
