namespace PSModel.Core.Tests;

/// <summary>Tests that keep both cores busy by themselves, and would slow down those beside them.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
