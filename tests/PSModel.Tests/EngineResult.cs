using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What a script gave.</summary>
public sealed record EngineResult(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<string> Debug,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<ProgressRecord> Progress,
    Exception? Thrown)
{
    /// <summary>The one error, checked as the contract wants every error to be.</summary>
    public ErrorRecord SingleError(string id, ErrorCategory category)
    {
        ErrorRecord error = Assert.Single(Errors);
        Assert.StartsWith($"{id},", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(category, error.CategoryInfo.Category);
        Assert.False(string.IsNullOrEmpty(error.ErrorDetails?.RecommendedAction));
        Assert.IsType<string>(error.TargetObject);
        Assert.True(error.Exception.GetType().IsPublic);
        Assert.Equal("PSModel.ModelException", error.Exception.GetType().FullName);
        return error;
    }

    /// <summary>What came out for one blob; blobs come as they are done.</summary>
    public PSObject Of(string digest) => Assert.Single(Output, item => digest.Equals(item.Properties["Digest"].Value));

    /// <summary>The values of one property of everything that came out.</summary>
    public IEnumerable<object?> Values(string property) => Output.Select(item => item.Properties[property].Value);

    /// <summary>That a model was saved whole, each blob reported once and right in the store, and nothing beside them.</summary>
    public void AssertSaved(LoopbackModel model, TemporaryFolder store, string verification)
    {
        Assert.Empty(Errors);
        Assert.Null(Thrown);
        Assert.Equal(model.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal), Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
        Assert.All(Output, blob =>
        {
            Assert.Equal("PSModel.ModelBlobDigest", blob.TypeNames[0]);
            Assert.Equal("Downloaded", blob.Properties["Status"].Value);
            Assert.Equal(true, blob.Properties["Verified"].Value);
            Assert.Equal(verification, blob.Properties["Verification"].Value);
            Assert.Equal(blob.Properties["Digest"].Value, blob.Properties["ActualDigest"].Value);
            Assert.Equal(blob.Properties["Path"].Value, blob.Properties["PSPath"].Value);
        });
        foreach (BlobContent blob in model.Blobs)
        {
            byte[] bytes = File.ReadAllBytes(store.Blob(blob.Digest));
            Assert.Equal(blob.Digest, $"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}");
        }

        Assert.Equal(model.Blobs.Count, Directory.GetFileSystemEntries(store.Blobs).Length);
    }
}
