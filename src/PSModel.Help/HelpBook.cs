namespace PSModel.Help;

/// <summary>The module's help: the topics in Markdown on one side, the files that PowerShell reads on the other.</summary>
/// <param name="topics">The folder of the topics.</param>
/// <param name="module">The module's manifest, built.</param>
public sealed class HelpBook(string topics, string module)
{
    private const string SharedTopic = "Shared";
    private const string AboutPrefix = "about_";

    /// <summary>Writes every file into a folder.</summary>
    public void Write(string folder)
    {
        Section[] sections = [.. Directory.GetFiles(topics, "*.md").Order(StringComparer.Ordinal).Select(TopicReader.Read)];
        Section shared = TopicReader.Read(Path.Combine(topics, $"{SharedTopic}.md"));
        Directory.CreateDirectory(folder);
        foreach (Section about in sections.Where(IsAbout))
        {
            File.WriteAllText(Path.Combine(folder, $"{about.Title}.help.txt"), AboutWriter.Write(about));
        }

        using CommandFacts facts = new(module);
        using MamlWriter maml = new(facts, shared);
        File.WriteAllText(
            Path.Combine(folder, "PSModel.dll-Help.xml"),
            maml.Write(sections.Where(section => !IsAbout(section) && section.Title != shared.Title)));
    }

    private static bool IsAbout(Section section) => section.Title.StartsWith(AboutPrefix, StringComparison.Ordinal);
}
