using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Tests;

public sealed class ModelNameTests
{
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
}
