using System.Text;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>Where a model came from, as the work folder remembers it and as somebody else wrote it there.</summary>
public sealed class OriginFileTests : IDisposable
{
    private static readonly ModelName Name = ModelName.Parse("registry.example/library/demo:latest");
    private static readonly Manifest Right = ManifestReader.Read(Name, "test", Encoding.UTF8.GetBytes("""{"schemaVersion":2,"layers":[]}"""));

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("http://registry.example", true)]
    [InlineData("https://mirror.example:5000/cache", true)]
    [InlineData("https://me:secret@mirror.example", false)]
    [InlineData("https://mirror.example/?token=secret", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("https://mirror.example/\u001b[31m", false)]
    [InlineData("https://mirror.example/\u202e", false)]
    [InlineData("; Remove-Item *", false)]
    [InlineData("", false)]
    public void Only_an_address_that_can_be_shown_is_taken(string text, bool isTaken)
    {
        OriginFile file = new(new ModelStore(_folder.Path), Name);
        file.Write(Right.From("http://registry.example"), isInPlace: true);
        string path = Assert.Single(Directory.GetFiles(_folder.Work, "origin-*"));
        File.WriteAllText(path, $"{Right.Digest}\n{text}\nregistry.example/library/demo:latest\n");
        Assert.Equal(isTaken ? text : null, file.Complete(Right).Origin);
    }

    [Theory]
    [InlineData("mlx", "mlx")]
    [InlineData("MLX", null)]
    [InlineData("$(Remove-Item *)", null)]
    [InlineData("", null)]
    public void Only_a_runner_that_is_known_is_taken(string text, string? taken)
    {
        OriginFile file = new(new ModelStore(_folder.Path), Name);
        file.Write(Right.For("mlx", "safetensors"), isInPlace: true);
        Assert.Equal("mlx", file.Complete(Right).Runner);
        string path = Assert.Single(Directory.GetFiles(_folder.Work, "origin-*"));
        File.WriteAllText(path, $"{Right.Digest}\n\nregistry.example/library/demo:latest\n{text}\n");
        Assert.Equal(taken, file.Complete(Right).Runner);
    }

    /// <summary>A call may be ended before its manifest is there, and after that.</summary>
    [Fact]
    public void What_was_there_before_is_remembered_until_the_new_manifest_is_in_its_place()
    {
        OriginFile file = new(new ModelStore(_folder.Path), Name);
        Manifest next = ManifestReader.Read(Name, "test", Encoding.UTF8.GetBytes("""{"schemaVersion":2,"layers":[] }"""));
        file.Write(Right.From("https://mirror.example").For("mlx", "safetensors"), isInPlace: true);
        file.Write(next, isInPlace: false);
        Assert.Equal(("https://mirror.example", "mlx"), (file.Complete(Right).Origin, file.Complete(Right).Runner));
        Assert.Equal((null, null), (file.Complete(next).Origin, file.Complete(next).Runner));
        Assert.Null(file.TryReadOrigin());

        file.Write(next.From("http://other.example"), isInPlace: false);
        Assert.Equal(("https://mirror.example", "http://other.example"), (file.Complete(Right).Origin, file.TryReadOrigin()));
        file.Write(next.From("http://other.example"), isInPlace: true);
        Assert.Equal((null, "http://other.example"), (file.Complete(Right).Origin, file.Complete(next).Origin));
        file.Write(next, isInPlace: true);
        Assert.Empty(Directory.GetFiles(_folder.Work, "origin-*"));
    }

    public void Dispose() => _folder.Dispose();
}
