using System.Management.Automation;

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
}
