namespace PSModel.Core.Authentication;

/// <summary>Why the key of Ollama is not used.</summary>
/// <param name="IsMissing">Whether there is none.</param>
/// <param name="What">What is wrong with it, as a part of a sentence; nothing of its content.</param>
/// <param name="Remedy">What to do about it, in a sentence.</param>
internal sealed record KeyProblem(bool IsMissing, string What, string Remedy);
