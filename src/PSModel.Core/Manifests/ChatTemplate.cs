using System.Text;
using System.Text.Json;

namespace PSModel.Core.Manifests;

/// <summary>
/// A template for Ollama, whose templates are Go's, in place of one of Jinja. A template of Jinja is a program, and is not translated: it is
/// recognised by the marks that it puts between the turns of a chat, and the template here puts the same. What else it does, the calls of
/// tools for instance, is lost. Immutable.
/// </summary>
/// <remarks>The fields are those of Ollama's <c>docs/template.md</c>; the marks are those that the models' makers document.</remarks>
/// <param name="Text">Go's template.</param>
/// <param name="Stops">The marks at which a model has said what it says.</param>
internal sealed record ChatTemplate(string Text, IReadOnlyList<string> Stops)
{
    /// <summary>Marks, all of which a template of the kind has, and what it is; the first that fits counts.</summary>
    private static readonly (string[] Marks, ChatTemplate Template)[] Known =
    [
        (["<|im_start|>", "<|im_end|>"], Turns("<|im_start|>{{ .Role }}\n", "<|im_end|>\n", "<|im_start|>assistant\n", "<|im_start|>", "<|im_end|>")),
        (["<|start_header_id|>", "<|eot_id|>"], Turns("<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n", "<|eot_id|>", "<|start_header_id|>assistant<|end_header_id|>\n\n", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
        (["<start_of_turn>", "<end_of_turn>"], Turns("<start_of_turn>{{ if eq .Role \"assistant\" }}model{{ else }}user{{ end }}\n", "<end_of_turn>\n", "<start_of_turn>model\n", "<start_of_turn>", "<end_of_turn>")),
        (["<|assistant|>", "<|end|>"], Turns("<|{{ .Role }}|>\n", "<|end|>\n", "<|assistant|>\n", "<|end|>", "<|user|>", "<|assistant|>")),
        (["[INST]", "[/INST]"], new ChatTemplate("{{- range .Messages }}{{ if eq .Role \"assistant\" }} {{ .Content }}</s>{{ else }}[INST] {{ .Content }} [/INST]{{ end }}{{ end }}", ["[INST]", "[/INST]"])),
    ];

    /// <summary>The template for one of Jinja; <see langword="null"/> where its marks are not known.</summary>
    public static ChatTemplate? TryFind(string jinja) => Array.Find(Known, known => Array.TrueForAll(known.Marks, jinja.Contains)).Template;

    /// <summary>The parameters that go with it, as Ollama keeps them.</summary>
    public byte[] WriteParameters() => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, IReadOnlyList<string>> { ["stop"] = Stops });

    /// <summary>The template's bytes.</summary>
    public byte[] WriteText() => Encoding.UTF8.GetBytes(Text);

    private static ChatTemplate Turns(string begin, string end, string answer, params string[] stops) => new($"{{{{- range .Messages }}}}{begin}{{{{ .Content }}}}{end}{{{{ end }}}}{answer}", stops);
}
