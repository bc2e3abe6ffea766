using System.Management.Automation;
using System.Text;
using System.Xml;

namespace PSModel.Help;

/// <summary>Writes the topics of commands as MAML, which Get-Help reads.</summary>
internal sealed class MamlWriter : IDisposable
{
    private const string Maml = "http://schemas.microsoft.com/maml/2004/10";
    private const string Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private const string Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private readonly CommandFacts _facts;
    private readonly Section _shared;
    private readonly StringBuilder _text = new();
    private readonly XmlWriter _xml;

    /// <param name="facts">What the engine knows.</param>
    /// <param name="shared">The parameters that several commands have.</param>
    public MamlWriter(CommandFacts facts, Section shared)
    {
        _facts = facts;
        _shared = shared;
        _xml = XmlWriter.Create(_text, new XmlWriterSettings { Indent = true, NewLineChars = "\n", OmitXmlDeclaration = true });
    }

    /// <summary>The file of several commands.</summary>
    public string Write(IEnumerable<Section> topics)
    {
        _xml.WriteStartElement(null, "helpItems", "http://msh");
        _xml.WriteAttributeString("schema", "maml");
        foreach (Section topic in topics)
        {
            WriteCommand(topic);
        }

        _xml.WriteEndElement();
        _xml.Flush();
        return $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{_text}\n";
    }

    public void Dispose() => _xml.Dispose();

    private void WriteCommand(Section topic)
    {
        CmdletInfo command = _facts.Find(topic.Title);
        _xml.WriteStartElement("command", "command", Command);
        _xml.WriteAttributeString("xmlns", "maml", null, Maml);
        _xml.WriteAttributeString("xmlns", "dev", null, Dev);
        _xml.WriteStartElement("details", Command);
        _xml.WriteElementString("name", Command, command.Name);
        _xml.WriteElementString("verb", Command, command.Verb);
        _xml.WriteElementString("noun", Command, command.Noun);
        WriteDescription(topic.Part("Synopsis"));
        _xml.WriteEndElement();
        WriteDescription(topic.Part("Description"));
        WriteSyntax(command, topic);
        WriteParameters(command, topic);
        WriteTypes("inputTypes", "inputType", topic.Part("Inputs"));
        WriteTypes("returnValues", "returnValue", topic.Part("Outputs"));
        WriteNotes(topic.Part("Notes"));
        WriteExamples(topic.Part("Examples"));
        WriteLinks(command, topic.Part("Links"));
        _xml.WriteEndElement();
    }

    private void WriteSyntax(CmdletInfo command, Section topic)
    {
        _xml.WriteStartElement("syntax", Command);
        foreach (CommandParameterSetInfo set in command.ParameterSets)
        {
            _xml.WriteStartElement("syntaxItem", Command);
            _xml.WriteElementString("name", Maml, command.Name);
            foreach (CommandParameterInfo parameter in CommandFacts.ParametersOf(set))
            {
                WriteParameter(command, topic, parameter, isSyntax: true);
            }

            _xml.WriteEndElement();
        }

        _xml.WriteEndElement();
    }

    private void WriteParameters(CmdletInfo command, Section topic)
    {
        _xml.WriteStartElement("parameters", Command);
        foreach (CommandParameterInfo parameter in command.ParameterSets.SelectMany(CommandFacts.ParametersOf).DistinctBy(parameter => parameter.Name))
        {
            WriteParameter(command, topic, parameter, isSyntax: false);
        }

        _xml.WriteEndElement();
    }

    private void WriteParameter(CmdletInfo command, Section topic, CommandParameterInfo parameter, bool isSyntax)
    {
        string pipeline = string.Join(", ", new[] { parameter.ValueFromPipeline ? "ByValue" : null, parameter.ValueFromPipelineByPropertyName ? "ByPropertyName" : null }.OfType<string>());
        string type = parameter.ParameterType.Name;
        _xml.WriteStartElement("parameter", Command);
        _xml.WriteAttributeString("required", parameter.IsMandatory ? "true" : "false");
        _xml.WriteAttributeString("variableLength", parameter.ParameterType.IsArray ? "true" : "false");
        _xml.WriteAttributeString("globbing", parameter.Attributes.OfType<SupportsWildcardsAttribute>().Any() ? "true" : "false");
        _xml.WriteAttributeString("pipelineInput", pipeline.Length > 0 ? $"True ({pipeline})" : "False");
        _xml.WriteAttributeString("position", parameter.Position < 0 ? "named" : $"{parameter.Position}");
        _xml.WriteAttributeString("aliases", parameter.Aliases.Count > 0 ? string.Join(", ", parameter.Aliases) : "none");
        _xml.WriteElementString("name", Maml, parameter.Name);
        WriteDescription(topic.Part("Parameters").Find(parameter.Name) ?? _shared.Part(parameter.Name));
        WriteAllowed(parameter, isSyntax);
        if (!isSyntax || parameter.ParameterType != typeof(SwitchParameter))
        {
            _xml.WriteStartElement("parameterValue", Command);
            _xml.WriteAttributeString("required", parameter.ParameterType == typeof(SwitchParameter) ? "false" : "true");
            _xml.WriteAttributeString("variableLength", parameter.ParameterType.IsArray ? "true" : "false");
            _xml.WriteString(type);
            _xml.WriteEndElement();
        }

        _xml.WriteStartElement("type", Dev);
        _xml.WriteElementString("name", Maml, type);
        _xml.WriteElementString("uri", Maml, string.Empty);
        _xml.WriteEndElement();
        _xml.WriteElementString("defaultValue", Dev, CommandFacts.DefaultOf(command, parameter));
        _xml.WriteEndElement();
    }

    /// <summary>The values of a set, which the syntax lists.</summary>
    private void WriteAllowed(CommandParameterInfo parameter, bool isSyntax)
    {
        if (!isSyntax || parameter.Attributes.OfType<ValidateSetAttribute>().FirstOrDefault() is not { } allowed)
        {
            return;
        }

        _xml.WriteStartElement("parameterValueGroup", Command);
        foreach (string value in allowed.ValidValues)
        {
            _xml.WriteStartElement("parameterValue", Command);
            _xml.WriteAttributeString("required", "false");
            _xml.WriteAttributeString("variableLength", "false");
            _xml.WriteString(value);
            _xml.WriteEndElement();
        }

        _xml.WriteEndElement();
    }

    private void WriteTypes(string list, string item, Section types)
    {
        _xml.WriteStartElement(list, Command);
        foreach (Section type in types.Parts)
        {
            _xml.WriteStartElement(item, Command);
            _xml.WriteStartElement("type", Dev);
            _xml.WriteElementString("name", Maml, type.Title);
            _xml.WriteEndElement();
            WriteDescription(type);
            _xml.WriteEndElement();
        }

        _xml.WriteEndElement();
    }

    private void WriteNotes(Section notes)
    {
        _xml.WriteStartElement("alertSet", Maml);
        _xml.WriteStartElement("alert", Maml);
        WriteParagraphs(notes);
        _xml.WriteEndElement();
        _xml.WriteEndElement();
    }

    private void WriteExamples(Section examples)
    {
        _xml.WriteStartElement("examples", Command);
        foreach ((Section example, int number) in examples.Parts.Select((example, index) => (example, index + 1)))
        {
            _xml.WriteStartElement("example", Command);
            _xml.WriteElementString("title", Maml, $"Example {number}: {example.Title}");
            _xml.WriteElementString("code", Dev, string.Join('\n', example.Blocks.Where(block => block.Kind == BlockKind.Code).Select(block => block.Text)));
            _xml.WriteStartElement("remarks", Dev);
            WriteParagraphs(example);
            _xml.WriteEndElement();
            _xml.WriteEndElement();
        }

        _xml.WriteEndElement();
    }

    /// <summary>The first link that is an address is the one that -Online opens.</summary>
    private void WriteLinks(CmdletInfo command, Section links)
    {
        _xml.WriteStartElement("relatedLinks", Command);
        WriteLink("Online Version:", CommandFacts.AddressOf(command));
        foreach (string link in links.Paragraphs)
        {
            WriteLink(link, string.Empty);
        }

        _xml.WriteEndElement();
    }

    private void WriteLink(string text, string address)
    {
        _xml.WriteStartElement("navigationLink", Maml);
        _xml.WriteElementString("linkText", Maml, text);
        _xml.WriteElementString("uri", Maml, address);
        _xml.WriteEndElement();
    }

    private void WriteDescription(Section section)
    {
        _xml.WriteStartElement("description", Maml);
        WriteParagraphs(section);
        _xml.WriteEndElement();
    }

    private void WriteParagraphs(Section section)
    {
        foreach (string paragraph in section.Paragraphs)
        {
            _xml.WriteElementString("para", Maml, paragraph);
        }
    }
}
