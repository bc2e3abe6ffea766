using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Text of a registry that becomes part of a message.</summary>
public sealed class RegistryTextTests
{
    private static readonly string Long = new('x', 20_000);

    private readonly List<string> _traced = [];

    [Fact]
    public void The_reason_of_a_status() => Refuse($"HTTP/1.1 400 {Shown.Hostile.Split('\r')[0]}\u0085", string.Empty, ModelFault.UnexpectedStatus);

    [Fact]
    public void A_long_reason_of_a_status() => Refuse($"HTTP/1.1 400 {Long}", Long, ModelFault.UnexpectedStatus);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/html")]
    public void The_body_of_an_error(string type) => Refuse($"HTTP/1.1 400 Bad\r\nContent-Type: {type}", Shown.Hostile, ModelFault.UnexpectedStatus);

    [Fact]
    public void A_signed_address_in_the_body_of_an_error() =>
        Refuse("HTTP/1.1 400 Bad", $"<Error>https://me:{Shown.Secret}@storage/blob and \"https://storage/blob?sig={Shown.Secret}\"</Error>", ModelFault.UnexpectedStatus);

    [Fact]
    public void A_header_that_is_none() => Refuse($"HTTP/1.1 200 OK\r\n\u001b[31mno header\u009b {Long}", string.Empty, ModelFault.RegistryUnreachable);

    [Fact]
    public void A_manifests_media_type() =>
        Refuse(Ok, $$"""{"schemaVersion":2,"mediaType":{{Json(Shown.Hostile + Long)}},"layers":[]}""", ModelFault.ManifestInvalid);

    [Fact]
    public void A_layers_digest() =>
        Refuse(Ok, $$"""{"schemaVersion":2,"layers":[{"digest":{{Json(Shown.Hostile + Long)}},"size":1}]}""", ModelFault.ManifestInvalid);

    [Theory]
    [InlineData(Shown.Hostile)]
    [InlineData("application/vnd.ollama.image.mod\u0435l")]
    [InlineData("\u202elpitluhcs")]
    public void A_layers_media_type(string mediaType) =>
        Refuse(Ok, $$$"""{"schemaVersion":2,"layers":[{"digest":"sha256:{{{new string('a', 64)}}}","size":1,"mediaType":{{{Json(mediaType)}}}}]}""", ModelFault.ManifestInvalid);

    [Fact]
    public void A_manifest_with_control_characters_of_its_own_where_nobody_looks() =>
        Refuse(Ok, "{\"schemaVersion\":2,\"layers\":[],\"annotations\":{\"title\":\"\u009b2J\"}}", ModelFault.ManifestInvalid);

    [Fact]
    public void A_manifest_may_say_what_it_likes_in_other_words_than_those() =>
        Assert.Empty(Get(Ok, """{"schemaVersion":2,"layers":[],"annotations":{"title":"モデル \u001b\n"}}""").Layers);

    private const string Ok = "HTTP/1.1 200 OK";

    private static string Json(string text) => JsonSerializer.Serialize(text);

    private void Refuse(string head, string body, ModelFault expected)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Get(head, body));
        Assert.Equal(expected, fault.Fault);
        Shown.IsPlain(fault);
        _traced.ForEach(Shown.IsPlain);
    }

    private Manifest Get(string head, string body)
    {
        using RawServer server = new(head, body);
        using RegistryClient client = new(new RegistryOptions { Registries = [server.Address], MaximumRetryCount = 0, Trace = _traced.Add });
        return client.GetManifest(ModelName.Parse("demo"), CancellationToken.None);
    }
}
