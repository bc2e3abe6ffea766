namespace PSModel.Core.Authentication;

/// <summary>What a secret is good for.</summary>
internal enum CredentialKind
{
    /// <summary>The password of a user.</summary>
    Password,

    /// <summary>A token for the registry.</summary>
    Token,

    /// <summary>A token for the token service.</summary>
    IdentityToken,
}
