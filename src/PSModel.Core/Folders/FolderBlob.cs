using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Registry;
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Folders;

/// <summary>A blob in a folder. Thread-safe.</summary>
/// <param name="path">Its file.</param>
/// <param name="layer">What the manifest says of it.</param>
internal sealed class FolderBlob(string path, Layer layer) : BlobSource
{
    /// <summary>Of more, their number is told.</summary>
    private const int MostRanges = 4;

    private const string CopyAgain = "Copy the file into the source again, or leave out -Source to ask the registry.";

    /// <inheritdoc/>
    public override BlobStream Open(ByteRange range, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        FileStream? file = null;
        try
        {
            // A pipe would be waited for.
            if (FileFacts.TryRead(path) is not { IsFile: true } facts)
            {
                throw new ModelFaultException(ModelFault.BlobNotFound, $"The source has {layer.Digest} in a manifest, and not as a file at '{path}'.", Facts(CopyAgain));
            }

            if (facts.Size != layer.Size)
            {
                throw WrongSize(facts.Size);
            }

            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            file.Seek(range.Start, SeekOrigin.Begin);
            return new BlobStream(new FileBody(file, path), range.Start, range.End);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            file?.Dispose();
            throw FolderFault.Unreadable(path, range.Start, e);
        }
    }

    /// <inheritdoc/>
    public override ModelFaultException Explain(ModelFaultException mismatch, BlockMap? arrived)
    {
        FaultFacts facts = Facts($"Nothing of it was written to the store. \"Test-ModelBlob -LiteralPath {SaveCommand.Quote(path)} -Digest {layer.Digest} -Diagnose\" tells whether the file is damaged or read wrong; without -Source the registry is asked.");
        facts.ActualDigest = mismatch.Facts.ActualDigest;
        return new ModelFaultException(mismatch.Fault, $"The source is damaged: what '{path}' gives has the digest {mismatch.Facts.ActualDigest}{Where(arrived)}.", facts);
    }

    /// <summary>A store that PSModel filled has a map of each large blob, made of the right bytes.</summary>
    private string Where(BlockMap? arrived)
    {
        if (arrived is null || BlockMapFile.Beside(path, layer.Digest)?.TryRead() is not { } right || !right.Layout.Cuts.SequenceEqual(arrived.Layout.Cuts) || right.Layout.Size != arrived.Layout.Size)
        {
            return string.Empty;
        }

        IEnumerable<int> wrong = Enumerable.Range(0, right.Checksums.Count).Where(index => right.Checksums[index] != arrived.Checksums[index]);
        List<string> ranges = [.. BlockLayout.RunsOf(wrong).Select(run => $"{ByteText.Digits(right.Layout.Blocks[run[0]].Start)} to {ByteText.Digits(right.Layout.Blocks[run[run.Count - 1]].End - 1)}")];
        string more = ranges.Count > MostRanges ? $" and {ranges.Count - MostRanges} ranges more" : string.Empty;
        return ranges.Count == 0 ? string.Empty : $"; it is wrong in the bytes {string.Join(", ", ranges.Take(MostRanges))}{more}";
    }

    private ModelFaultException WrongSize(long actual)
    {
        FaultFacts facts = Facts(CopyAgain);
        facts.ExpectedSize = layer.Size;
        facts.ActualSize = actual;
        return new ModelFaultException(ModelFault.SizeMismatch, $"The source is damaged: '{path}' has {ByteText.Exact(actual)}, and its manifest names {ByteText.Exact(layer.Size)}.", facts);
    }

    private FaultFacts Facts(string remedy) => new() { Digest = layer.Digest.ToString(), Path = path, Remedy = remedy };
}
