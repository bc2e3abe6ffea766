using System.Management.Automation;
using PSModel.Core.Store;
using PSModel.Errors;

namespace PSModel.Commands;

/// <summary>A cmdlet that works on a store.</summary>
public abstract class StoreCommand : AsyncCommand
{
    private ModelStore? _store;

    /// <summary>The store that the parameter, or else the default, names. Relative paths mean the current location.</summary>
    private protected ModelStore OpenStore(string? path) =>
        _store ??= new ModelStore(ToFilePath(string.IsNullOrEmpty(path) ? ModelStore.DefaultPath : path!));

    /// <summary>The file system's own path of a path of PowerShell's. It need not exist.</summary>
    private protected string ToFilePath(string path)
    {
        if (FilePath.TryResolve(SessionState.Path, path, out string? resolved, out string? why))
        {
            return resolved;
        }

        ThrowTerminatingError(ErrorRecords.NotInFileSystem(path, why));
        throw new InvalidOperationException(why);
    }
}
