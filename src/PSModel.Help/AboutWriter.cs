using System.Text;

namespace PSModel.Help;

/// <summary>Writes a topic as PowerShell's plain text for <c>about_</c> topics: 80 columns, text indented by four.</summary>
internal static class AboutWriter
{
    private const int Width = 80;
    private const int Indent = 4;

    /// <summary>The text of a topic.</summary>
    public static string Write(Section topic)
    {
        StringBuilder text = new();
        text.Append("TOPIC\n    ").Append(topic.Title).Append('\n');
        foreach (Section part in topic.Parts)
        {
            text.Append('\n').Append(part.Title.ToUpperInvariant()).Append('\n');
            for (int i = 0; i < part.Blocks.Count; i++)
            {
                bool isNextItem = i > 0 && part.Blocks[i].Kind == BlockKind.Item && part.Blocks[i - 1].Kind == BlockKind.Item;
                text.Append(i == 0 || isNextItem ? string.Empty : "\n");
                Append(text, part.Blocks[i]);
            }
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, Block block)
    {
        switch (block.Kind)
        {
            case BlockKind.Code:
                foreach (string line in block.Text.Split('\n'))
                {
                    text.Append(' ', 2 * Indent).Append(line).Append('\n');
                }

                break;
            case BlockKind.Item:
                Wrap(text, $"- {block.Text}", hanging: 2);
                break;
            default:
                Wrap(text, block.Text, hanging: 0);
                break;
        }
    }

    private static void Wrap(StringBuilder text, string words, int hanging)
    {
        int column = 0;
        foreach (string word in words.Split(' '))
        {
            if (column > 0 && column + 1 + word.Length > Width)
            {
                text.Append('\n');
                column = 0;
            }

            int indent = column > 0 ? 1 : text.Length > 0 && text[^1] == '\n' && words.StartsWith(word, StringComparison.Ordinal) ? Indent : Indent + hanging;
            text.Append(' ', indent).Append(word);
            column += indent + word.Length;
        }

        text.Append('\n');
    }
}
