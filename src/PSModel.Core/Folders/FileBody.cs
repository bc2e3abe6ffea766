using PSModel.Core.Faults;
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Folders;

/// <summary>Bytes of a blob as they come from a file. For one reader at a time.</summary>
/// <param name="file">The file, which is closed with this.</param>
/// <param name="path">Its path.</param>
internal sealed class FileBody(FileStream file, string path) : IBlobBody
{
    /// <inheritdoc/>
    public int Read(byte[] buffer, int offset, int count)
    {
        long at = file.Position;
        try
        {
            return file.Read(buffer, offset, count);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw FolderFault.Unreadable(path, at, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
