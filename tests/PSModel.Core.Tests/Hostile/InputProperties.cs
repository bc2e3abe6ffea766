using System.Text;
using CsCheck;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Tests.Files;
using PSModel.Core.Verification;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Manifests, names, addresses and paths that somebody made up.</summary>
public sealed class InputProperties
{
    private static readonly byte[] Valid = LoopbackModel.Generate("library/demo", "latest", 1000).Manifest;

    private static readonly Gen<string> Layer =
        from digest in Gen.OneOf(Gen.Const($"sha256:{new string('a', 64)}"), Fuzz.Text)
        from size in Fuzz.Number
        from mediaType in Gen.OneOf(Gen.Const("application/vnd.ollama.image.model"), Fuzz.Text)
        select $$"""{"digest":{{Json(digest)}},"size":{{size}},"mediaType":{{Json(mediaType)}}}""";

    private static readonly Gen<byte[]> Structured =
        from version in Gen.OneOf(Gen.Const("2"), Fuzz.Number)
        from mediaType in Gen.OneOf(Gen.Const(MediaTypes.OciManifest), Fuzz.Text)
        from config in Gen.OneOf(Layer, Fuzz.Number)
        from layers in Layer.Array[0, 4]
        from rest in Fuzz.Text
        select Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":{{version}},"mediaType":{{Json(mediaType)}},"config":{{config}},"layers":[{{string.Join(',', layers)}}],{{Json(rest)}}:{{Json(rest)}}}""");

    private static readonly Gen<string> Address = Gen.OneOf(
        Fuzz.Text,
        Gen.Select(Fuzz.OneOf("http://", "https://", "HTTPS://", "//"), Fuzz.Text, Fuzz.OneOf("127.0.0.1", "localhost", "[::1]", "mirror.example"), Fuzz.Text)
            .Select(parts => string.Concat(parts.Item1, parts.Item2, parts.Item3, parts.Item4)));

    [Fact]
    public void Any_manifest() => Gen.OneOf(Fuzz.Damaged(Valid), Structured).Sample(CheckManifest, iter: 10 * Fuzz.Cases, print: Fuzz.Print);

    [Fact]
    public void Any_name() => Gen.OneOf(Fuzz.Text, Address).Sample(CheckName, iter: 10 * Fuzz.Cases, print: Fuzz.Print);

    [Fact]
    public void Any_registry() => Address.Sample(CheckRegistry, iter: 10 * Fuzz.Cases, print: Fuzz.Print);

    [Fact]
    public void Any_digest() => Gen.OneOf(Fuzz.Text, Fuzz.Text.Select(text => $"sha256:{text}")).Sample(
        text => Fuzz.Try(() => Assert.Equal(text, BlobDigest.Parse(text).ToString())), iter: 10 * Fuzz.Cases, print: Fuzz.Print);

    [Fact]
    public void Any_path_of_a_store() => Fuzz.Text.Sample(CheckStore, iter: Fuzz.Cases, print: Fuzz.Print);

    /// <summary>To open it would wait for somebody who writes.</summary>
    [NeedsFact("mkfifo")]
    public void A_pipe_in_a_manifests_place_is_not_waited_for()
    {
        using TemporaryFolder folder = new();
        ModelStore store = new(folder.Path);
        ModelName name = ModelName.Parse("demo");
        string path = store.Manifests.PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Unix.Run("mkfifo", path);
        Assert.Equal(name, Assert.Single(store.Manifests.FindNames()));
        Assert.Equal(ModelFault.ManifestInvalid, Assert.Throws<ModelFaultException>(() => store.Manifests.Read(name)).Fault);
    }

    private static string Json(string text) => System.Text.Json.JsonSerializer.Serialize(text, System.Text.Json.JsonSerializerOptions.Default);

    private static void CheckManifest(byte[] bytes)
    {
        Manifest? manifest = null;
        ModelFaultException? fault = Fuzz.Try(() => manifest = ManifestReader.Read(ModelName.Parse("demo"), "here", bytes));
        if (fault is not null)
        {
            Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
            return;
        }

        Shown.IsPlain(manifest!.MediaType);
        Assert.True(manifest.Size >= 0);
        Assert.Equal(bytes, manifest.GetBytes());
        Assert.All(manifest.Blobs, layer => Shown.IsPlain($"{layer.Kind} {layer.MediaType} {layer.Name}"));
        Assert.DoesNotContain(manifest.GetBytes(), value => value is 0x1B or 0x7F);
    }

    private static void CheckName(string text)
    {
        ModelName? name = null;
        if (Fuzz.Try(() => name = ModelName.Parse(text)) is { } fault)
        {
            Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
            return;
        }

        Shown.IsPlain(name!.ToString());
        string root = Path.GetFullPath("/store");
        string? path = null;

        // Windows holds some names in no path, and then there is none.
        if (Fuzz.Try(() => path = new ModelStore(root).Manifests.PathOf(name)) is { } refused)
        {
            Assert.True(OperatingSystem.IsWindows(), refused.Message);
            Assert.Equal(ModelFault.InvalidModelName, refused.Fault);
        }
        else
        {
            Assert.StartsWith(Path.Combine(root, "manifests"), Path.GetFullPath(path!), StringComparison.Ordinal);
        }

        CheckEndpoint(name, new RegistryOptions { AllowUnencrypted = true });
    }

    private static void CheckRegistry(string text)
    {
        if (Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out Uri? address))
        {
            CheckEndpoint(ModelName.Parse("demo"), new RegistryOptions { Registries = [address], AllowUnencrypted = true });
        }
    }

    private static void CheckEndpoint(ModelName name, RegistryOptions options)
    {
        Fuzz.Try(() =>
        {
            RegistryEndpoint endpoint = new(name, options);
            Uri blob = endpoint.Blob(BlobDigest.Parse($"sha256:{new string('a', 64)}"));
            foreach (Uri address in new[] { endpoint.ManifestAddress, blob })
            {
                Assert.True(address.Scheme is "https" or "http");
                Assert.Empty(address.UserInfo + address.Query + address.Fragment);
                Assert.Contains($"/v2/{name.Namespace}/{name.Model}/", address.AbsolutePath, StringComparison.Ordinal);
            }

            // A manifest that came from there leads back to it.
            Manifest manifest = ManifestReader.Read(name, endpoint.ManifestAddress.AbsoluteUri, Valid);
            Assert.Equal(endpoint.ManifestAddress, RegistryEndpoint.AllOf(manifest, new RegistryOptions { AllowUnencrypted = true })[0].ManifestAddress);
        });
    }

    private static void CheckStore(string text)
    {
        using TemporaryFolder folder = new();

        // The user's own path is repeated in full.
        string path = $"{folder.Path}/store/{text[..Math.Min(text.Length, 100)].Replace("..", "_", StringComparison.Ordinal)}";
        ModelName name = ModelName.Parse("demo");
        Fuzz.Try(() =>
        {
            ModelStore store = new(path);
            Fuzz.Try(() => store.Manifests.FindNames());
            Fuzz.Try(() => store.Manifests.Write(ManifestReader.Read(name, "here", Valid)));
            Fuzz.Try(() => Assert.Equal(Valid, store.Manifests.Read(name).GetBytes()));
            _ = store.BlobSize(BlobDigest.Parse($"sha256:{new string('a', 64)}"));
        });
        Assert.All(Directory.EnumerateFileSystemEntries(folder.Path), entry => Assert.Equal("store", Path.GetFileName(entry)));
        Fuzz.Try(() => BlobTargets.OfFile(path, [], 0, 1));
    }
}
