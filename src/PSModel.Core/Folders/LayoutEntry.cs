using PSModel.Core.Names;

namespace PSModel.Core.Folders;

/// <summary>A manifest that an image layout lists. Immutable.</summary>
/// <param name="Digest">The SHA-256 of the manifest, which is a blob.</param>
/// <param name="Reference">What <see cref="LayoutNames.Reference"/> says: a tag mostly, or a whole name; <see langword="null"/> where
/// nothing is said.</param>
/// <param name="ImageName">What <see cref="LayoutNames.ImageName"/> says: a whole name.</param>
/// <param name="IsForm">Whether it is another form of a manifest that is listed as well (<see cref="LayoutNames.FormOf"/>).</param>
internal sealed record LayoutEntry(BlobDigest Digest, string? Reference, string? ImageName, bool IsForm)
{
    /// <summary>The model that it says it is; <see langword="null"/> where it tells a tag at most.</summary>
    public ModelName? Name => TryParse(ImageName) ?? (Reference?.IndexOfAny(['/', ':']) >= 0 ? TryParse(Reference) : null);

    private static ModelName? TryParse(string? text)
    {
        if (ModelName.TryParse(text, out ModelName? name, out _))
        {
            return name.WithoutPin;
        }

        // Other registries have longer paths.
        return OciReference.TryParse(text, out OciReference? reference, out _) ? reference.TryToName() : null;
    }
}
