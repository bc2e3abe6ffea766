using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>
/// The files of an OCI image layout: <c>oci-layout</c>, <c>index.json</c> and <c>blobs/sha256/</c>, and beside them <c>.psmodel/</c> for what
/// is being written. What is there is whole at every time. Thread-safe, and safe beside other processes.
/// </summary>
/// <remarks>The OCI image specification, image-layout.md.</remarks>
/// <param name="files">The folder, for those who write files of stores durably.</param>
internal sealed class LayoutFolder(ModelStore files)
{
    private const string LockName = "index.lock";
    private const string NewSuffix = ".new";
    private const string Mark = """{"imageLayoutVersion":"1.0.0"}""";

    /// <summary>Of a file that names models; larger ones are not read.</summary>
    private const int LargestIndex = 64 * 1024 * 1024;

    private static readonly TimeSpan LockLook = TimeSpan.FromMilliseconds(20);

    private int _isSwept;

    /// <summary>Its path.</summary>
    public string Root => files.Root;

    /// <summary>The file that names what is in it.</summary>
    public string IndexPath => Path.Combine(Root, LayoutNames.Index);

    private string MarkPath => Path.Combine(Root, LayoutNames.Mark);

    /// <summary>Where a blob belongs.</summary>
    public string BlobPath(BlobDigest digest) => LayoutNames.Blob(Root, digest);

    /// <summary>Whether a blob is there with the size that a manifest names; it is not read.</summary>
    public bool Has(BlobDigest digest, long size) => FileFacts.TryRead(BlobPath(digest)) is { IsFile: true } facts && facts.Size == size;

    /// <summary>Sees that the folder is a layout, or can become one: what is something else is left alone.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/>.</exception>
    public void RequireOwn() => Guard(Root, () =>
    {
        // Whoever makes it a layout at this moment writes the mark before anything else, so that is looked for last.
        bool isOther = File.Exists(Root)
            || (Directory.Exists(Root) && Directory.EnumerateFileSystemEntries(Root).Any(entry => Path.GetFileName(entry) != WorkFolder.Name) && !File.Exists(MarkPath));
        if (isOther)
        {
            throw new ModelFaultException(
                ModelFault.StoreNotWritable,
                $"'{Root}' is no OCI image layout: it has no file '{LayoutNames.Mark}', and is not empty.",
                new FaultFacts { Path = Root, Remedy = "Name an empty folder, or one that is not there yet." });
        }
    });

    /// <summary>Makes it a layout.</summary>
    /// <exception cref="ModelFaultException">It cannot be written.</exception>
    public void Create(CancellationToken cancellationToken)
    {
        RequireOwn();
        Guard(Root, files.CreateWork);
        if (!File.Exists(MarkPath))
        {
            Alone(MarkPath, () => WriteWhole(MarkPath, Encoding.UTF8.GetBytes(Mark)), cancellationToken);
        }

        Guard(Root, () => DurableFile.CreateFolder(files, LayoutNames.Blobs(Root)));
        if (Interlocked.Exchange(ref _isSwept, 1) == 0)
        {
            // Each blob asks for a layout.
            Guard(files.Work, Sweep);
        }
    }

    /// <summary>Takes the right to write one blob.</summary>
    /// <exception cref="ModelFaultException">It cannot be written.</exception>
    public BlobLock Lock(BlobDigest digest, Action<string> tell, CancellationToken cancellationToken) =>
        BlobLock.AcquireAsync(files, digest, tell, cancellationToken).GetAwaiter().GetResult();

    /// <summary>Requires room for a blob.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InsufficientDiskSpace"/>.</exception>
    public void RequireRoom(Layer layer) => DiskSpace.Require(files, layer, kept: 0);

    /// <summary>Writes a blob: beside, flushed, and renamed if that is right.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="write">Writes its bytes.</param>
    /// <param name="isRight">Asked, once all is on the disk, whether it is that blob.</param>
    /// <exception cref="ModelFaultException">It cannot be written.</exception>
    public void WriteBlob(BlobDigest digest, Action<FileStream> write, Action isRight)
    {
        string temporary = Path.Combine(files.Work, digest.FileName + NewSuffix);
        bool isDone = false;
        try
        {
            Guard(temporary, () =>
            {
                using FileStream file = WorkFile.Create(files, temporary);
                write(file);
                DurableFile.Flush(file);
            });
            isRight();
            Guard(BlobPath(digest), () => DurableFile.Replace(temporary, BlobPath(digest)));
            isDone = true;
        }
        finally
        {
            if (!isDone)
            {
                Remove(temporary);
            }
        }
    }

    /// <summary>Changes the index, alone among all processes.</summary>
    /// <param name="change">Given the index as it is, <see langword="null"/> where there is none; gives it as it is to be.</param>
    /// <param name="cancellationToken">Ends the wait for others.</param>
    /// <exception cref="ModelFaultException">It cannot be read or written.</exception>
    public void ChangeIndex(Func<byte[]?, byte[]> change, CancellationToken cancellationToken) => Alone(
        IndexPath,
        () =>
        {
            byte[]? before = TryReadIndex();
            byte[] after = change(before);
            if (before?.AsSpan().SequenceEqual(after) != true)
            {
                WriteWhole(IndexPath, after);
            }
        },
        cancellationToken);

    /// <summary>Asks something of the index.</summary>
    /// <exception cref="ModelFaultException">It cannot be read.</exception>
    public T Reads<T>(Func<byte[]?, T> ask)
    {
        T answer = default!;
        Guard(IndexPath, () => answer = ask(TryReadIndex()));
        return answer;
    }

    /// <summary>The index as it is; <see langword="null"/> where there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    private byte[]? TryReadIndex()
    {
        FileFacts? facts = FileFacts.TryRead(IndexPath);
        return facts is null ? null
            : facts is { IsFile: true, Size: <= LargestIndex } ? File.ReadAllBytes(IndexPath)
            : throw new IOException($"'{IndexPath}' is no file, or larger than {ByteText.Of(LargestIndex)}.");
    }

    /// <summary>Takes a step that nobody else takes at the time, in whatever process.</summary>
    private void Alone(string path, Action step, CancellationToken cancellationToken)
    {
        string lockPath = Path.Combine(files.Work, LockName);
        LockFile? held = null;
        try
        {
            while (held is null)
            {
                Guard(lockPath, () => held = LockFile.TryTake(files, lockPath, isRemoved: false));
                BlockingWork.Pause(held is null ? LockLook : TimeSpan.Zero, cancellationToken);
            }

            Guard(path, step);
        }
        finally
        {
            held?.Dispose();
        }
    }

    private void WriteWhole(string path, byte[] bytes) =>
        DurableFile.WriteWhole(files, bytes, Path.Combine(files.Work, Path.GetFileName(path) + NewSuffix), path);

    private void Guard(string path, Action step)
    {
        try
        {
            StoreFault.Guard(files, path, step, "image layout");
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.StoreNotWritable)
        {
            e.Facts.Remedy ??= "Check the path and its permissions, or name another folder with -Destination.";
            throw;
        }
    }

    /// <summary>Removes what killed calls left of blobs. Who writes one holds its lock.</summary>
    private void Sweep()
    {
        foreach (string path in FolderEntries.Files(files.Work, $"*{NewSuffix}"))
        {
            if (BlobDigest.TryParseFileName(Path.GetFileNameWithoutExtension(path), out BlobDigest? digest))
            {
                using BlobLock? held = BlobLock.TryAcquire(files, digest);
                if (held is not null)
                {
                    Remove(path);
                }
            }
        }
    }

    /// <summary>What is left is removed by the next call.</summary>
    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // The failure that led here says more.
        }
    }
}
