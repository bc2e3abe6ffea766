using System.Management.Automation;
using System.Text;

namespace PSModel.Tests;

/// <summary>What was asked for, or the store, is at fault.</summary>
public sealed class SaveModelBlobErrorTests : SaveErrorTests
{
    [Theory]
    [InlineData("bad name")]
    [InlineData("x:")]
    [InlineData("../../etc/passwd")]
    [InlineData("gemma*")]
    public void InvalidModelName(string name)
    {
        ErrorRecord error = Engine.Run(Save, name, Store.Path).SingleError("InvalidModelName", ErrorCategory.InvalidArgument);
        Assert.Equal(name, error.TargetObject);
    }

    [Fact]
    public void InvalidDigest()
    {
        EngineResult result = Engine.Run("param($name, $store) Save-ModelBlob $name $store -Digest sha256:short", Registry.Offer(Model), Store.Path);
        Assert.Equal("sha256:short", result.SingleError("InvalidDigest", ErrorCategory.InvalidArgument).TargetObject);
    }

    [Fact]
    public void ManifestNotFound()
    {
        string name = $"{Registry.Address}library/none:1";
        ErrorRecord error = Engine.Run(Save, name, Store.Path).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Equal(name, error.TargetObject);
        Assert.Equal(404, Property(error, "StatusCode"));
    }

    [Fact]
    public void BlobNotFound_when_the_manifest_does_not_name_it()
    {
        string digest = $"sha256:{new string('0', 64)}";
        EngineResult result = Engine.Run("param($name, $store, $digest) Save-ModelBlob $name $store -Digest $digest", Registry.Offer(Model), Store.Path, digest);
        Assert.Equal(digest, result.SingleError("BlobNotFound", ErrorCategory.ObjectNotFound).TargetObject);
    }

    [Theory]
    [InlineData("<html>sign in</html>")]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"sha256:../../x","size":1}]}""")]
    public void ManifestInvalid(string manifest)
    {
        string name = Registry.Offer(Model.WithManifest(Encoding.UTF8.GetBytes(manifest)));
        Engine.Run(Save, name, Store.Path).SingleError("ManifestInvalid", ErrorCategory.InvalidData);
    }

    [Fact]
    public void ManifestInvalid_when_the_text_of_a_piped_one_was_changed()
    {
        string name = Registry.Offer(Model);
        string change = "$m = Get-ModelManifest $name; $m.GetType().GetProperty('Raw').SetValue($m, $m.Raw.Replace('schemaVersion', 'x\":1,\"schemaVersion'))";
        EngineResult result = Engine.Run($"param($name, $store) {change}; $m | Save-ModelBlob -StorePath $store", name, Store.Path);
        ErrorRecord error = result.SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        Assert.NotEqual(Property(error, "Digest"), Property(error, "ActualDigest"));
    }

    [Fact]
    public void InsufficientDiskSpace()
    {
        const long Size = 4_000_000_000_000_000_000;
        string manifest = $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{Model.Blobs[0].Digest}}","size":{{Size}}}]}""";
        string name = Registry.Offer(Model.WithManifest(Encoding.UTF8.GetBytes(manifest)));
        ErrorRecord error = Engine.Run(Save, name, Store.Path).SingleError("InsufficientDiskSpace", ErrorCategory.ResourceUnavailable);
        Assert.Equal(Size, Property(error, "RequiredBytes"));
        Assert.InRange((long)Property(error, "AvailableBytes")!, 0, Size - 1);
        Assert.DoesNotContain(Registry.Requests, request => request.Path.Contains(Model.Blobs[0].Digest, StringComparison.Ordinal));
    }

    [Fact]
    public void StoreNotWritable_when_a_file_is_in_the_way()
    {
        string file = Path.Combine(Store.Path, "file");
        File.WriteAllText(file, string.Empty);
        EngineResult result = Engine.Run(Save, Registry.Offer(Model), Path.Combine(file, "store"));
        Assert.All(result.Errors, error => Assert.StartsWith("StoreNotWritable,", error.FullyQualifiedErrorId, StringComparison.Ordinal));
        Assert.Equal(ErrorCategory.PermissionDenied, result.Errors[0].CategoryInfo.Category);
        File.Delete(file);
    }

    [Fact]
    public void StoreNotWritable_when_the_path_is_no_folder_of_files()
    {
        EngineResult result = Engine.Run(Save, Registry.Offer(Model), "Variable:store");
        result.SingleError("StoreNotWritable", ErrorCategory.PermissionDenied);
    }

    [Fact]
    public void StoreWriteFailed_when_a_folder_stands_in_the_blobs_place()
    {
        string path = Store.Blob(Model.Blobs[0].Digest);
        Directory.CreateDirectory(path);
        ErrorRecord error = Run().SingleError("StoreWriteFailed", ErrorCategory.WriteError);
        Assert.Equal(path, Property(error, "Path"));
        Directory.Delete(path);
    }

    [Fact]
    public void BlobInUse_when_another_program_holds_the_partial_file()
    {
        Directory.CreateDirectory(Store.Work);
        string partial = Path.Combine(Store.Work, $"{Model.Blobs[0].Digest.Replace(':', '-')}.partial");
        using FileStream holder = new(partial, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        Run().SingleError("BlobInUse", ErrorCategory.ResourceBusy);
    }
}
