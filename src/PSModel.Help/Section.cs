namespace PSModel.Help;

/// <summary>A heading of a topic's Markdown with what stands below it. Immutable.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Blocks">The text up to the first heading below.</param>
/// <param name="Parts">The headings below.</param>
internal sealed record Section(string Title, IReadOnlyList<Block> Blocks, IReadOnlyList<Section> Parts)
{
    /// <summary>The paragraphs alone.</summary>
    public IEnumerable<string> Paragraphs => Blocks.Where(block => block.Kind != BlockKind.Code).Select(block => block.Text);

    /// <summary>The part of that title.</summary>
    public Section Part(string title) => Find(title) ?? throw new InvalidDataException($"'{Title}' has no part '{title}'.");

    /// <summary>The part of that title, if there is one.</summary>
    public Section? Find(string title) => Parts.FirstOrDefault(part => part.Title == title);
}
