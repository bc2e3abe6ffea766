namespace PSModel.Core.Authentication;

/// <summary>A registry that is asked. Immutable.</summary>
/// <param name="Address">An address of it.</param>
/// <param name="IsNamed">Whether the call names it, by the model's name or by <c>-Registry</c>, and so means the credentials that it
/// gives for it. Where a store tells from which registry a model came, anybody who may write there may have named it.</param>
internal sealed record RegistryAddress(Uri Address, bool IsNamed);
