namespace PSModel.Help;

/// <summary>Reads the little of Markdown that the topics use: headings of three levels, paragraphs, lists, and fenced code.</summary>
internal sealed class TopicReader
{
    private const string Fence = "```";

    private readonly Queue<string> _lines;

    private TopicReader(IEnumerable<string> lines) => _lines = new Queue<string>(lines);

    /// <summary>Reads a topic.</summary>
    public static Section Read(string path)
    {
        TopicReader reader = new(File.ReadLines(path));
        return reader.ReadSection(level: 1);
    }

    private static int LevelOf(string line) => line.StartsWith("# ", StringComparison.Ordinal) ? 1
        : line.StartsWith("## ", StringComparison.Ordinal) ? 2
        : line.StartsWith("### ", StringComparison.Ordinal) ? 3
        : 0;

    private static bool IsItem(string line) => line.StartsWith("- ", StringComparison.Ordinal);

    private Section ReadSection(int level)
    {
        string title = _lines.Dequeue()[(level + 1)..];
        List<Block> blocks = [];
        List<Section> parts = [];
        while (_lines.TryPeek(out string? line) && (LevelOf(line) == 0 || LevelOf(line) > level))
        {
            if (LevelOf(line) > level)
            {
                parts.Add(ReadSection(level + 1));
            }
            else if (line.Length == 0)
            {
                _lines.Dequeue();
            }
            else
            {
                blocks.Add(line.StartsWith(Fence, StringComparison.Ordinal) ? ReadCode() : ReadText());
            }
        }

        return new Section(title, blocks, parts);
    }

    private Block ReadCode()
    {
        _lines.Dequeue();
        List<string> code = [];
        while (_lines.Dequeue() is var line && line != Fence)
        {
            code.Add(line);
        }

        return new Block(BlockKind.Code, string.Join('\n', code));
    }

    private Block ReadText()
    {
        bool isItem = IsItem(_lines.Peek());
        List<string> text = [_lines.Dequeue()[(isItem ? 2 : 0)..]];
        while (_lines.TryPeek(out string? line) && line.Length > 0 && LevelOf(line) == 0 && !IsItem(line))
        {
            text.Add(_lines.Dequeue().Trim());
        }

        return new Block(isItem ? BlockKind.Item : BlockKind.Paragraph, string.Join(' ', text));
    }
}
