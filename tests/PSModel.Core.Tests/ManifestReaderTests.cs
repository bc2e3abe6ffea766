using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Tests;

public sealed class ManifestReaderTests
{
    private const string A = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string B = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    private static readonly ModelName Name = ModelName.Parse("x");

    [Fact]
    public void Keeps_the_bytes_and_reads_the_parts()
    {
        byte[] bytes = Encoding.UTF8.GetBytes($$"""
            {"schemaVersion": 2,
              "config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{{B}}","size":7},
              "layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{A}}","size":10},
                        {"mediaType":"application/vnd.ollama.image.projector","digest":"{{B}}","size":7},
                        {"mediaType":"text/unknown","digest":"{{A}}","size":10}] }
            """ + "\n ");
        Manifest manifest = ManifestReader.Read(Name, "here", bytes);
        Assert.Equal(bytes, manifest.GetBytes());
        Assert.Equal(BlobDigest.FromHash(System.Security.Cryptography.SHA256.HashData(bytes)), manifest.Digest);
        Assert.Equal(["Model", "Projector", "Other"], manifest.Layers.Select(layer => layer.Kind));
        Assert.Equal("Config", manifest.Config!.Kind);
        Assert.Equal(34, manifest.Size);
        Assert.Equal([A, B], manifest.Blobs.Select(layer => layer.Digest.ToString()));
    }

    [Fact]
    public void Takes_an_empty_config_for_none()
    {
        Manifest manifest = Read("""{"schemaVersion":2,"config":{"digest":"","size":0},"layers":[]}""");
        Assert.Null(manifest.Config);
        Assert.Empty(manifest.Blobs);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("  <!DOCTYPE html><html></html>", "web page")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"schemaVersion":1,"layers":[]}""", "schemaVersion")]
    [InlineData("""{"schemaVersion":"2","layers":[]}""", "schemaVersion")]
    [InlineData("""{"schemaVersion":2}""", "list of layers")]
    [InlineData("""{"schemaVersion":2,"layers":{}}""", "list of layers")]
    [InlineData("""{"schemaVersion":2,"mediaType":"\uD800","layers":[]}""", "not JSON")]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""", "index")]
    [InlineData("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]}""", "index")]
    [InlineData("""{"schemaVersion":2,"mediaType":"application/json","layers":[]}""", "media type")]
    [InlineData("""{"schemaVersion":2,"layers":[7]}""", "layer 0")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"sha256:AA","size":1}]}""", "digest")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"../x","size":1}]}""", "digest")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"A","size":-1}]}""", "size")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"A","size":1.5}]}""", "size")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"A","size":99999999999999999999}]}""", "size")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"A"}]}""", "size")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"A","size":1},{"digest":"A","size":2}]}""", "two sizes")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"A","size":9223372036854775807},{"digest":"B","size":1}]}""", "add up")]
    public void Refuses_what_is_no_manifest(string text, string reason)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(
            () => Read(text.Replace("\"A\"", $"\"{A}\"", StringComparison.Ordinal).Replace("\"B\"", $"\"{B}\"", StringComparison.Ordinal)));
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_its_length_and_its_layers()
    {
        string layer = $$"""{"digest":"{{A}}","size":1}""";
        string layers = string.Join(',', Enumerable.Repeat(layer, ManifestReader.MaximumLayers));
        Assert.Equal(ManifestReader.MaximumLayers, Read($$"""{"schemaVersion":2,"layers":[{{layers}}]}""").Layers.Count);
        Assert.Throws<ModelFaultException>(() => Read($$"""{"schemaVersion":2,"layers":[{{layers}},{{layer}}]}"""));

        string small = """{"schemaVersion":2,"layers":[]}""";
        Assert.Empty(Read(small.PadRight(ManifestReader.MaximumBytes)).Layers);
        Assert.Throws<ModelFaultException>(() => Read(small.PadRight(ManifestReader.MaximumBytes + 1)));
    }

    private static Manifest Read(string text) => ManifestReader.Read(Name, "here", Encoding.UTF8.GetBytes(text));
}
