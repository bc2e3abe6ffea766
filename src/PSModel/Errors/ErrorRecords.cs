using System.Management.Automation;
using System.Management.Automation.Language;
using PSModel.Core.Faults;

namespace PSModel.Errors;

/// <summary>Makes every error record of the module.</summary>
internal static class ErrorRecords
{
    /// <summary>Makes the record of a fault.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="target">The name, digest or path that the user gave or would look for.</param>
    public static ErrorRecord From(ModelFaultException fault, object? target)
    {
        (ErrorCategory category, string action) = Describe(fault);
        ModelException exception = new(fault);
        return new ErrorRecord(exception, exception.ErrorId, category, target)
        {
            ErrorDetails = new ErrorDetails($"{exception.Message} {action}") { RecommendedAction = action },
        };
    }

    /// <summary>Makes the record of a module that is no longer whole.</summary>
    public static ErrorRecord OfModule(FileNotFoundException why)
    {
        const string Action = "Install the module again, and start a new session.";
        return new ErrorRecord(why, "ModuleDamaged", ErrorCategory.NotInstalled, why.FileName)
        {
            ErrorDetails = new ErrorDetails($"{why.Message} {Action}") { RecommendedAction = Action },
        };
    }

    private static (ErrorCategory Category, string Action) Describe(ModelFaultException fault) => fault.Fault switch
    {
        ModelFault.InvalidModelName => (ErrorCategory.InvalidArgument, "Correct the name, or the address given with -Registry."),
        ModelFault.InvalidDigest => (ErrorCategory.InvalidArgument, "Give the digest as Get-ModelManifest shows it."),
        ModelFault.ManifestNotFound => (ErrorCategory.ObjectNotFound, "Check the spelling of model and tag; 'Get-ModelManifest -Local' lists what the store has."),
        ModelFault.BlobNotFound => (ErrorCategory.ObjectNotFound, "Check the digest with Get-ModelManifest; if the registry itself lost the blob, only its owner can push it again."),
        ModelFault.ManifestInvalid => (ErrorCategory.InvalidData, "Look at it with 'Get-ModelManifest -Raw', and name a tag of a single model."),
        ModelFault.DigestMismatch => (ErrorCategory.InvalidData, "The wire, or what is behind it, is at fault: try again without a proxy or VPN, or from another registry with -Registry. Nothing was written to the store."),
        ModelFault.ReadBackMismatch => (ErrorCategory.InvalidData, $"The download is right and the reading is wrong: the same command with -VerifyInline saves it without fetching it again, and \"Test-ModelBlob -LiteralPath {Quote(fault.Facts.Path)} -Digest {fault.Facts.Digest} -Diagnose\" finds out what is wrong here. Memory, the disk's driver and the disk are the usual causes."),
        ModelFault.SizeMismatch => (ErrorCategory.InvalidData, "A proxy or the registry sends something else than the manifest names; try without the proxy."),
        ModelFault.RegistryUnreachable => (ErrorCategory.ConnectionError, "Check the network, the name's host and the proxy settings; run the same command again to go on from here."),
        ModelFault.UnexpectedStatus => (ErrorCategory.ConnectionError, "Try again later; if it stays, a proxy or the registry refuses the request."),
        ModelFault.TransferStalled => (ErrorCategory.OperationTimeout, "Run the same command again to go on from here; raise -OperationTimeoutSeconds for a slow source."),
        ModelFault.AuthenticationFailed => (ErrorCategory.AuthenticationError, "The model is private, or the name is misspelt: some registries ask for credentials in place of saying 'not found'."),
        ModelFault.UnencryptedRefused => (ErrorCategory.SecurityError, "Use https, or allow plain http with -AllowUnencrypted."),
        ModelFault.UntrustedRedirect => (ErrorCategory.SecurityError, "Nothing was fetched from there. Ask the registry's owner for an encrypted address, or allow plain http from the start with http:// and -AllowUnencrypted."),
        ModelFault.UntrustedRealm => (ErrorCategory.SecurityError, "No credentials were sent. Ask the registry's owner about its token service."),
        ModelFault.InsufficientDiskSpace => (ErrorCategory.ResourceUnavailable, "Free some space, or choose another volume with -StorePath."),
        ModelFault.StoreNotWritable => (ErrorCategory.PermissionDenied, "Check the path and its permissions, or choose another folder with -StorePath."),
        ModelFault.StoreWriteFailed => (ErrorCategory.WriteError, "Check the volume's free space and health; run the same command again to go on from what was kept."),
        ModelFault.BlobInUse => (ErrorCategory.ResourceBusy, "Close the program that holds it, or wait, and run the same command again."),
        ModelFault.BlobUnreadable => (ErrorCategory.ReadError, "Check the file's permissions, and the disk's health."),
        ModelFault.ReadModeNotSupported => (ErrorCategory.NotImplemented, "Read it with another -ReadMode; Test-ModelBlob -Diagnose goes on without the modes that are not to be had."),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault.Fault, null),
    };

    /// <summary>A path as it can be pasted.</summary>
    private static string Quote(string? path) => $"'{CodeGeneration.EscapeSingleQuotedStringContent(path)}'";
}
