namespace PSModel.Core.Authentication;

/// <summary>What a token service answered.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body, as far as it is not too long to be one.</param>
/// <param name="RetryAfter">How long it asks to be left alone.</param>
internal readonly record struct TokenAnswer(int Status, byte[] Body, TimeSpan? RetryAfter = null);
