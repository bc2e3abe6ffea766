using PSModel.Core.Manifests;

namespace PSModel.Core.Transfer;

/// <summary>A model to be saved. Immutable.</summary>
/// <param name="Target">What the user named it by; errors about it name this.</param>
/// <param name="Find">Gives its manifest, and may ask the registry for it; it blocks, and raises a
/// <see cref="Faults.ModelFaultException"/> where there is none.</param>
public sealed record ModelRequest(string Target, Func<CancellationToken, Manifest> Find);
