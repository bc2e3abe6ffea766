namespace PSModel.Help;

/// <summary>A paragraph, an item of a list, or lines of code. Immutable.</summary>
internal sealed record Block(BlockKind Kind, string Text);
