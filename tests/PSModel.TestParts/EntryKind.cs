namespace PSModel.TestParts;

/// <summary>What an entry of a later Ollama's manifests is to the blob it stands for.</summary>
public enum EntryKind
{
    /// <summary>A relative link, as where links are allowed.</summary>
    Link,

    /// <summary>Another name of the blob.</summary>
    HardLink,

    /// <summary>A file of the same bytes.</summary>
    Copy,
}
