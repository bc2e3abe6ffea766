namespace PSModel.Core.Store;

/// <summary>Another program held a file for longer than is worth waiting.</summary>
internal sealed class HeldFileException(string path, Exception inner) : IOException(inner.Message, inner)
{
    /// <summary>The file.</summary>
    public string Path => path;
}
