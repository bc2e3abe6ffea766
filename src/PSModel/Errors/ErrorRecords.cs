using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Store;

namespace PSModel.Errors;

/// <summary>Makes every error record of the module.</summary>
internal static class ErrorRecords
{
    /// <summary>From 7.5 on PowerShell shows what to do by itself.</summary>
    private static readonly bool ShowsAction = typeof(PSObject).Assembly.GetName().Version is { } version && version >= new Version(7, 5);

    /// <summary>What to do with two arguments of which one is meant.</summary>
    public const string GiveOne = "Give one of them.";

    /// <summary>Makes the record of a fault.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="target">The name, digest or path that the user gave or would look for.</param>
    /// <param name="model">The model whose blob it is about, if it is about a blob.</param>
    public static ErrorRecord From(ModelFaultException fault, object? target, string? model = null)
    {
        (ErrorCategory category, string action) = Describe(fault);
        action = fault.Facts.Remedy ?? action;
        ModelException exception = new(fault, model);
        return new ErrorRecord(exception, exception.ErrorId, category, target) { ErrorDetails = Details(exception.Message, action) };
    }

    /// <summary>Makes the record of a module that is no longer whole.</summary>
    public static ErrorRecord OfModule(FileNotFoundException why)
    {
        const string Action = "Install the module again, and start a new session.";
        return new ErrorRecord(why, "ModuleDamaged", ErrorCategory.NotInstalled, why.FileName) { ErrorDetails = Details(why.Message, Action) };
    }

    /// <summary>Makes the record of arguments that do not go together, or of one that cannot be.</summary>
    public static ErrorRecord OfArgument(string why, string parameter, string action = GiveOne) =>
        new(new ArgumentException(why), "AmbiguousArgument", ErrorCategory.InvalidArgument, parameter) { ErrorDetails = Details(why, action) };

    private static ErrorDetails Details(string message, string action) =>
        new(ShowsAction ? message : $"{message} {action}") { RecommendedAction = action };

    private static (ErrorCategory Category, string Action) Describe(ModelFaultException fault) => fault.Fault switch
    {
        ModelFault.InvalidModelName => (ErrorCategory.InvalidArgument, "Correct the name."),
        ModelFault.InvalidDigest => (ErrorCategory.InvalidArgument, "Give the digest as Get-ModelManifest shows it."),
        ModelFault.ManifestNotFound => (ErrorCategory.ObjectNotFound, "Check the spelling of model and tag."),
        ModelFault.BlobNotFound => (ErrorCategory.ObjectNotFound, "Check the digest with Get-ModelManifest; if the registry itself lost the blob, only its owner can push it again."),
        ModelFault.ManifestInvalid => (ErrorCategory.InvalidData, "Name a tag of a single model. Where a web page came, a proxy or a login stands before the registry. Get-ModelManifest with -Raw gives what came."),
        ModelFault.DigestMismatch => (ErrorCategory.InvalidData, "The wire, or what is behind it, is at fault: try again without a proxy or VPN, or from another registry with -Registry. Nothing was written to the store."),
        ModelFault.ReadBackMismatch => (ErrorCategory.InvalidData, $"The download is right and the reading is wrong: the same command with -VerifyInline saves it without fetching it again, and \"Test-ModelBlob -LiteralPath {SaveCommand.Quote(fault.Facts.Path ?? string.Empty)} -Digest {fault.Facts.Digest} -Diagnose\" finds out what is wrong here. Memory, the disk's driver and the disk are the usual causes."),
        ModelFault.SizeMismatch => (ErrorCategory.InvalidData, "A proxy or the registry sends something else than the manifest names; try without the proxy."),
        ModelFault.RegistryUnreachable => (ErrorCategory.ConnectionError, "Check the network, the name's host and the proxy settings; run the same command again to go on from here."),
        ModelFault.UnexpectedStatus => (ErrorCategory.ConnectionError, "Try again later; if it stays, a proxy or the registry refuses the request."),
        ModelFault.TransferStalled => (ErrorCategory.OperationTimeout, "Run the same command again to go on from here; raise -OperationTimeoutSeconds for a slow source."),
        ModelFault.AuthenticationFailed => (ErrorCategory.AuthenticationError, "The model is private, or the name is misspelt: some registries ask for credentials in place of saying 'not found'. Give credentials by -Credential or -Token, or sign in with docker login; for Hugging Face set HF_TOKEN."),
        ModelFault.UnencryptedRefused => (ErrorCategory.SecurityError, "Use https, or allow plain http with -AllowUnencrypted."),
        ModelFault.UntrustedRedirect => (ErrorCategory.SecurityError, "Nothing was fetched from there. Ask the registry's owner for an encrypted address, or allow plain http from the start with http:// and -AllowUnencrypted."),
        ModelFault.UntrustedRealm => (ErrorCategory.SecurityError, "No credentials were sent. Ask the registry's owner about its token service."),
        ModelFault.InsufficientDiskSpace => (ErrorCategory.ResourceUnavailable, "Free some space, or choose another volume with -StorePath."),
        ModelFault.StoreNotFound => (ErrorCategory.ObjectNotFound, "Check the path, and whether its disk is mounted. Save-ModelBlob makes a store where there is none."),
        ModelFault.StoreNotWritable => (ErrorCategory.PermissionDenied, "Check the path and its permissions, or choose another folder with -StorePath."),
        ModelFault.StoreWriteFailed => (ErrorCategory.WriteError, "Check the volume's free space and health; run the same command again to go on from what was kept."),
        ModelFault.BlobInUse => (ErrorCategory.ResourceBusy, "Close the program that holds it, or wait, and run the same command again."),
        ModelFault.BlobUnreadable => (ErrorCategory.ReadError, "Check the file's permissions, and the disk's health."),
        ModelFault.ReadModeNotSupported => (ErrorCategory.NotImplemented, "Read it with another -ReadMode; Test-ModelBlob -Diagnose goes on without the modes that are not to be had."),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault.Fault, null),
    };
}
