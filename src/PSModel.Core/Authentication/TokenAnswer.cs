namespace PSModel.Core.Authentication;

/// <summary>What a token service answered.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body, as far as it is not too long to be one.</param>
internal readonly record struct TokenAnswer(int Status, byte[] Body);
