using PSModel.Core.Names;

namespace PSModel.Core.Folders;

/// <summary>The names of an OCI image layout. Stateless and thread-safe.</summary>
/// <remarks>Source: <c>image-layout.md</c> and <c>annotations.md</c> of the OCI image specification; the whole name is containerd's, whose
/// tools read it so.</remarks>
internal static class LayoutNames
{
    /// <summary>The file that lists the manifests.</summary>
    public const string Index = "index.json";

    /// <summary>The file that marks a folder as a layout.</summary>
    public const string Mark = "oci-layout";

    /// <summary>The annotation by which tools ask for a manifest: a tag mostly.</summary>
    public const string Reference = "org.opencontainers.image.ref.name";

    /// <summary>The annotation with the whole name.</summary>
    public const string ImageName = "io.containerd.image.name";

    /// <summary>The annotation of an entry that is no model of its own: another form of the manifest of the one that it names.</summary>
    public const string FormOf = "org.psmodel.form.of";

    /// <summary>The folder of the blobs.</summary>
    public static string Blobs(string root) => Path.Combine(root, "blobs", "sha256");

    /// <summary>Where a blob belongs.</summary>
    public static string Blob(string root, BlobDigest digest) => Path.Combine(Blobs(root), digest.FileName.Substring(digest.FileName.IndexOf('-') + 1));
}
