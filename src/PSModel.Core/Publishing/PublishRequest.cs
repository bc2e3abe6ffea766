namespace PSModel.Core.Publishing;

/// <summary>A model to be published. Immutable.</summary>
/// <param name="Target">What the user named it by; errors about it name this.</param>
/// <param name="Name">The model's name.</param>
public sealed record PublishRequest(string Target, string Name);
