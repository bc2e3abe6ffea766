using PSModel.Core.Faults;
using PSModel.Core.Pins;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Pins;

/// <summary>The file of a list.</summary>
public sealed class PinListTests : IDisposable
{
    private static readonly string Digest = $"sha256:{new string('a', 64)}";

    private readonly TemporaryFolder _folder = new();

    private string Path => System.IO.Path.Combine(_folder.Path, "models.jsonl");

    [Fact]
    public void What_is_written_is_read_and_is_a_line_for_each_model()
    {
        File.WriteAllText(Path, $"\n{{\"name\":\"demo:1b@{Digest}\"}}\r\n\n {{\"origin\":\"/mnt/\u00fcsb\",\"name\":\"http://127.0.0.1:5000/me/x@{Digest}\",\"more\":[1]}}");
        IReadOnlyList<PinnedModel> read = PinList.Read(Path);
        Assert.Equal([$"demo:1b@{Digest}", $"http://127.0.0.1:5000/me/x:latest@{Digest}"], read.Select(model => model.Name.ToString()));
        Assert.Equal(["https://registry.ollama.ai", "/mnt/\u00fcsb"], read.Select(model => model.Origin));

        PinList.Write(Path, read);
        Assert.Equal(
            $"{{\"name\":\"demo:1b@{Digest}\",\"origin\":\"https://registry.ollama.ai\"}}\n{{\"name\":\"http://127.0.0.1:5000/me/x:latest@{Digest}\",\"origin\":\"/mnt/\u00fcsb\"}}\n",
            File.ReadAllText(Path));
        Assert.Equal([Path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"name\":5}")]
    [InlineData("{\"name\":\"demo:1b\"}")]
    [InlineData("{\"name\":\"../x@DIGEST\"}")]
    [InlineData("{\"name\":\"demo:1b@sha256:abc\"}")]
    [InlineData("{\"name\":\"\\ud800\"}")]
    public void A_line_that_pins_nothing_is_named(string line)
    {
        File.WriteAllText(Path, $"{{\"name\":\"demo:1b@{Digest}\"}}\n{line.Replace("DIGEST", Digest, StringComparison.Ordinal)}\n");
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => PinList.Read(Path));
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        Assert.Contains("Line 2 of", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_or_written_is_told_of_and_changes_nothing()
    {
        Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => PinList.Read(Path)).Fault);
        Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => PinList.Read(_folder.Path)).Fault);
        Assert.Equal(ModelFault.StoreWriteFailed, Assert.Throws<ModelFaultException>(() => PinList.Write(System.IO.Path.Combine(Path, "x"), [])).Fault);
        Directory.CreateDirectory(Path);
        Assert.Equal(ModelFault.StoreWriteFailed, Assert.Throws<ModelFaultException>(() => PinList.Write(Path, [])).Fault);
        Assert.Equal([Path], Directory.GetFileSystemEntries(_folder.Path));
    }

    public void Dispose() => _folder.Dispose();
}
