using CsCheck;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Tests;

public sealed class ModelNameTests
{
    private const string Word = "ABCXYZabcxyz0189_";

    private static readonly Gen<string> Separator = OneOf("/", ":", "://", "", "@", "..", "/../", "\\");

    /// <summary>Anything that looks a little like a name: most are none.</summary>
    private static readonly Gen<string> AlmostName =
        Gen.Select(Gen.String[Gen.Char[Word + "-."], 0, 12], Separator).Array[1, 6]
            .Select(parts => string.Concat(parts.Select(part => part.Item1 + part.Item2)));

    private static readonly Gen<string> Name =
        from scheme in OneOf("", "http://", "https://")
        from host in Part("-.:", 1, 40)
        from @namespace in Part("-", 1, 80)
        from model in Part("-.", 1, 80)
        from tag in Part("-.", 1, 80)
        from form in Gen.Int[0, 3]
        select form switch
        {
            0 => $"{scheme}{host}/{@namespace}/{model}:{tag}",
            1 => $"{@namespace}/{model}:{tag}",
            2 => $"{model}:{tag}",
            _ => model,
        };

    [Theory]
    [InlineData("gemma4", "https", "registry.ollama.ai", "library", "gemma4", "latest")]
    [InlineData("gemma4:31b", "https", "registry.ollama.ai", "library", "gemma4", "31b")]
    [InlineData("me/gemma4:31b", "https", "registry.ollama.ai", "me", "gemma4", "31b")]
    [InlineData("hf.co/bartowski/Llama-3.2-1B:Q4_K_M", "https", "hf.co", "bartowski", "Llama-3.2-1B", "Q4_K_M")]
    [InlineData("http://127.0.0.1:5000/library/x", "http", "127.0.0.1:5000", "library", "x", "latest")]
    [InlineData("localhost:5000/ns/x:1.0", "https", "localhost:5000", "ns", "x", "1.0")]
    public void Reads_the_parts(string text, string scheme, string host, string @namespace, string model, string tag)
    {
        ModelName name = ModelName.Parse(text);
        Assert.Equal((scheme, host, @namespace, model, tag), (name.Scheme, name.Host, name.Namespace, name.Model, name.Tag));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x:")]
    [InlineData("/x")]
    [InlineData("ns/")]
    [InlineData("://x")]
    [InlineData("http://x")]
    [InlineData("ftp://host/ns/x")]
    [InlineData("host//x")]
    [InlineData("a/b/c/d")]
    [InlineData("x@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("../x")]
    [InlineData("ns/..")]
    [InlineData("x:..")]
    [InlineData("n.s/x")]
    [InlineData("-x")]
    [InlineData("x y")]
    [InlineData("gemma*")]
    [InlineData("modèle")]
    public void Refuses_what_is_no_name(string text)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => ModelName.Parse(text));
        Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
    }

    [Fact]
    public void Bounds_the_length_of_each_part()
    {
        Assert.True(ModelName.TryParse(new string('m', 80), out _, out _));
        Assert.False(ModelName.TryParse(new string('m', 81), out _, out _));
        Assert.True(ModelName.TryParse($"{new string('h', 350)}/n/m", out _, out _));
        Assert.False(ModelName.TryParse($"{new string('h', 351)}/n/m", out _, out _));
    }

    [Theory]
    [InlineData("registry.ollama.ai/library/x:1", "x:1")]
    [InlineData("registry.ollama.ai/me/x", "me/x:latest")]
    [InlineData("hf.co/library/x", "hf.co/library/x:latest")]
    [InlineData("http://127.0.0.1:5000/library/x", "127.0.0.1:5000/library/x:latest")]
    public void Shortest_drops_the_default_host_and_namespace_and_never_the_tag(string text, string shortest) =>
        Assert.Equal(shortest, ModelName.Parse(text).Shortest);

    [Fact]
    public void Whatever_is_valid_prints_back_to_itself() =>
        Gen.OneOf(Name, AlmostName).Sample(text => !ModelName.TryParse(text, out ModelName? name, out _) || ModelName.Parse(name.ToString()) == name, iter: 20_000);

    [Fact]
    public void Every_name_of_the_grammar_is_valid() =>
        Name.Sample(text => ModelName.TryParse(text, out _, out _), iter: 5_000);

    [Fact]
    public void Whatever_is_valid_is_one_path_of_four_levels_inside_the_store()
    {
        ModelStore store = new("/store");
        Gen.OneOf(Name, AlmostName).Sample(
            text =>
            {
                if (!ModelName.TryParse(text, out ModelName? name, out _))
                {
                    return true;
                }

                string path = store.ManifestPath(name);
                string relative = Path.GetRelativePath("/store/manifests", Path.GetFullPath(path));
                return Path.GetFullPath(path) == path && relative.Split('/').Length == 4 && !relative.StartsWith("..", StringComparison.Ordinal);
            },
            iter: 20_000);
    }

    private static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    private static Gen<string> Part(string more, int shortest, int longest) =>
        Gen.Select(Gen.Char[Word], Gen.String[Gen.Char[Word + more], shortest - 1, longest - 1], (first, rest) => first + rest);
}
