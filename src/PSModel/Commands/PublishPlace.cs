using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Commands;

/// <summary>What -Destination says: a place of a registry, or a folder. Immutable.</summary>
internal sealed class PublishPlace
{
    private PublishPlace(OciReference? reference, string? folder)
    {
        Reference = reference;
        Folder = folder;
    }

    /// <summary>The place of a registry; <see langword="null"/> where it is none.</summary>
    public OciReference? Reference { get; }

    /// <summary>The absolute path of the folder; <see langword="null"/> where it is none.</summary>
    public string? Folder { get; }

    /// <summary>Reads it.</summary>
    /// <param name="text">What was given; <see langword="null"/> for nothing, and then it is neither.</param>
    /// <param name="toFilePath">Makes an absolute path of the file system.</param>
    /// <exception cref="ModelFaultException">It is neither the one nor the other.</exception>
    public static PublishPlace Parse(string? text, Func<string, string> toFilePath)
    {
        if (text is null)
        {
            return new PublishPlace(null, null);
        }

        OciReference? reference = null;
        bool isReference = text.Contains("://") || (!FilePath.Reads(text) && OciReference.TryParse(text, out reference, out _));
        if (!isReference)
        {
            return new PublishPlace(null, toFilePath(text));
        }

        reference ??= OciReference.Parse(text);
        return reference.Pin is null ? new PublishPlace(reference, null) : throw new ModelFaultException(
            ModelFault.InvalidModelName,
            $"'{OutsideText.Of(text)}' pins a digest, and a model is published under a tag.",
            new FaultFacts { Name = OutsideText.Of(text), Remedy = "Leave out what follows the '@': the manifest has the digest that it has in the store." });
    }
}
