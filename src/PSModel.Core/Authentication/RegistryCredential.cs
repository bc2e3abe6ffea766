using PSModel.Core.Faults;

namespace PSModel.Core.Authentication;

/// <summary>What a registry, or its token service, is shown to tell who asks. Immutable. It has no text: none of it may be shown.</summary>
public sealed class RegistryCredential
{
    private RegistryCredential(CredentialKind kind, string user, string secret)
    {
        Kind = kind;
        User = user;
        Secret = secret;
    }

    /// <summary>What the secret is.</summary>
    internal CredentialKind Kind { get; }

    /// <summary>The user; empty for a token.</summary>
    internal string User { get; }

    /// <summary>The password or the token.</summary>
    internal string Secret { get; }

    /// <summary>A user and a password, for the registry itself or for its token service.</summary>
    public static RegistryCredential OfUser(string user, string password) => new(CredentialKind.Password, user, password);

    /// <summary>A token that the registry takes as it is; blanks and line ends around it are no part of it.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.AuthenticationFailed"/> where it holds what no header can.</exception>
    public static RegistryCredential OfToken(string token) => TryOfToken(token) ?? throw new ModelFaultException(
        ModelFault.AuthenticationFailed,
        "The token that was given is empty, or holds characters that no token has: blanks, line ends, or letters that are not ASCII.",
        new FaultFacts { Remedy = "Give the token as the registry shows it, in one line." });

    /// <summary>The same; <see langword="null"/> where it holds what no header can.</summary>
    internal static RegistryCredential? TryOfToken(string? token) =>
        token?.Trim() is { Length: > 0 } trimmed && trimmed.All(c => c is > ' ' and <= '~') ? new(CredentialKind.Token, string.Empty, trimmed) : null;

    /// <summary>A token for which the token service gives others (OAuth 2 calls it a refresh token).</summary>
    internal static RegistryCredential OfIdentityToken(string token) => new(CredentialKind.IdentityToken, string.Empty, token);
}
