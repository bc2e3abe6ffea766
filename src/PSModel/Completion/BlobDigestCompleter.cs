using System.Collections;
using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Completion;

/// <summary>Completes a digest with the blobs of the models that the command line names, as the store's manifests list them.</summary>
internal sealed class BlobDigestCompleter : StoreCompleter
{
    private const string NameParameter = "Name";
    private const string RunnerParameter = "Runner";
    private const string Prefix = "sha256:";

    /// <summary>As many digits as the tables show.</summary>
    private const int ShownDigits = 12;

    /// <inheritdoc/>
    protected override IEnumerable<CompletionResult> Complete(ModelStore store, TypedWord word, IDictionary boundParameters)
    {
        if (!LanguagePrimitives.TryConvertTo(boundParameters[NameParameter], out string[] names) || names is null)
        {
            return [];
        }

        return names
            .Select(name => Read(store, name, boundParameters[RunnerParameter] as string))
            .OfType<Manifest>()
            .SelectMany(manifest => manifest.Blobs.Select(layer => (manifest.Name, Layer: layer)))
            .GroupBy(blob => blob.Layer.Digest)
            .Select(same => Offer(word, same.First().Layer, same.Select(blob => blob.Name.Shortest).Distinct()))
            .OfType<CompletionResult>();
    }

    /// <summary>The other names' blobs are offered where one is no name, or there is no such model.</summary>
    private static Manifest? Read(ModelStore store, string name, string? runner) =>
        ModelName.TryParse(name, out ModelName? model, out _) ? store.Manifests.TryRead(model, runner?.ToLowerInvariant()) : null;

    private static CompletionResult? Offer(TypedWord word, Layer layer, IEnumerable<string> names)
    {
        string digest = layer.Digest.ToString();
        string digits = digest.Substring(Prefix.Length);
        string what = $"{layer.Kind} {ByteText.Of(layer.Size)}";
        return word.Begins(digest) || word.Begins(digits)
            ? word.Offer(digest, $"{digits.Substring(0, ShownDigits)} {what}", $"{what} of {string.Join(", ", names)}")
            : null;
    }
}
