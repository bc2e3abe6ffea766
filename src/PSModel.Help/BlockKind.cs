namespace PSModel.Help;

/// <summary>What a block of text is.</summary>
internal enum BlockKind
{
    /// <summary>A paragraph; its lines are joined.</summary>
    Paragraph,

    /// <summary>An item of a list; its lines are joined.</summary>
    Item,

    /// <summary>Code, line by line as it stands.</summary>
    Code,
}
