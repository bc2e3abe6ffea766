using System.Management.Automation;
using PSModel.Core.Store;
using PSModel.Errors;

namespace PSModel.Commands;

/// <summary>A cmdlet that works on a store.</summary>
public abstract class StoreCommand : AsyncCommand
{
    /// <summary>The name of the provider of files.</summary>
    private protected const string FileSystem = "FileSystem";

    private ModelStore? _store;

    /// <summary>The store that the parameter, or else the default, names. Relative paths mean the current location.</summary>
    private protected ModelStore OpenStore(string? path) =>
        _store ??= new ModelStore(ToFilePath(string.IsNullOrEmpty(path) ? ModelStore.DefaultPath : path!));

    /// <summary>The file system's own path of a path of PowerShell's. It need not exist.</summary>
    private protected string ToFilePath(string path)
    {
        string why;
        try
        {
            string resolved = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            if (provider.Name == FileSystem)
            {
                return resolved;
            }

            why = $"it belongs to the provider {provider.Name}.";
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or ProviderInvocationException or NotSupportedException or ArgumentException)
        {
            why = e.Message;
        }

        ThrowTerminatingError(ErrorRecords.NotInFileSystem(path, why));
        throw new InvalidOperationException(why);
    }
}
