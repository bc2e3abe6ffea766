using System.Management.Automation;
using System.Security;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Pipeline;

namespace PSModel.Commands;

/// <summary>A cmdlet that talks to a registry.</summary>
public abstract class RegistryCommand : ConnectedCommand
{
    private RegistryClient? _client;

    /// <summary>The user and the password for the registry, or for its token service.</summary>
    [Parameter]
    [ValidateNotNull]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>A token that the registry takes as it is.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? Token { get; set; }

    /// <summary>Allow plain http to a host that is not loopback.</summary>
    [Parameter]
    public SwitchParameter AllowUnencrypted { get; set; }

    /// <summary>Seconds to connect and get headers; 0 for no limit.</summary>
    [Parameter]
    [Alias("TimeoutSec")]
    [ValidateRange(0, MaximumSeconds)]
    public int ConnectionTimeoutSeconds { get; set; } = 30;

    /// <summary>The longest wait in seconds without a byte; 0 for no limit.</summary>
    [Parameter]
    [ValidateRange(0, MaximumSeconds)]
    public int OperationTimeoutSeconds { get; set; } = 30;

    /// <summary>Retries in a row without progress.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int MaximumRetryCount { get; set; } = 6;

    /// <summary>The base of the exponential backoff in seconds.</summary>
    [Parameter]
    [ValidateRange(0, SecondsOfDay)]
    public int RetryIntervalSec { get; set; } = 1;

    /// <summary>The longest backoff that Polly takes.</summary>
    private const int SecondsOfDay = 86_400;

    /// <summary>The longest time that .NET's timers take, in seconds.</summary>
    private const int MaximumSeconds = int.MaxValue / 1000;

    /// <inheritdoc/>
    protected override void Dispose(bool isDisposing)
    {
        if (isDisposing)
        {
            _client?.Dispose();
        }

        base.Dispose(isDisposing);
    }

    /// <summary>The client, the same for the whole call. For the pipeline thread.</summary>
    private protected RegistryClient Connect() => _client ??= new RegistryClient(AddPlace(AddConnection(Options())));

    /// <summary>How often and how long to try, as whom, and who is told. For the pipeline thread.</summary>
    private protected RegistryOptions Options() => new()
    {
        Credential = RequireOne(Credential, Token),
        AllowUnencrypted = AllowUnencrypted,
        ConnectionTimeout = ToTimeout(ConnectionTimeoutSeconds),
        OperationTimeout = ToTimeout(OperationTimeoutSeconds),
        MaximumRetryCount = MaximumRetryCount,
        RetryInterval = TimeSpan.FromSeconds(RetryIntervalSec),
        Trace = Confirmation.IsDebugged(this) ? message => CurrentPump?.PostForNextTick(() => WriteDebug(OutsideText.OneLine(message))) : null,
    };

    /// <summary>Sets up which registries are asked, where not those of the names. For the pipeline thread.</summary>
    private protected abstract RegistryOptions AddPlace(RegistryOptions options);

    private RegistryCredential? RequireOne(PSCredential? credential, SecureString? token)
    {
        // Wrapping functions hand an empty one on.
        credential = credential is null || string.IsNullOrEmpty(credential.UserName) ? null : credential;
        Refuse(credential is not null && token is not null, "-Credential and -Token cannot both be given.", nameof(Token));
        return Require(nameof(Token), () => credential is not null ? RegistryCredential.OfUser(credential.UserName, credential.GetNetworkCredential().Password)
            : token is not null ? RegistryCredential.OfToken(new PSCredential("token", token).GetNetworkCredential().Password)
            : null);
    }

    private static TimeSpan ToTimeout(int seconds) => seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
}
