using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Core.Verification;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Files;

/// <summary>Links in the store are followed, and none in its work folder.</summary>
public sealed class LinkTests : EngineTests, IDisposable
{
    private readonly TemporaryFolder _other = new();
    private readonly BlobContent _content = BlobContent.Generate(5 * MB, 1);

    private string FileName => _content.Digest.Replace(':', '-');

    private string Target => Path.Combine(_other.Path, "target");

    [Fact]
    public async Task A_blob_on_a_second_disk_is_there_and_its_link_stays()
    {
        LinkBlob(_content);
        SavedBlob saved = await SaveAsync(_content);
        Assert.Equal(BlobOutcome.AlreadyPresent, saved.Outcome);
        Assert.NotNull(new FileInfo(Folder.Blob(_content.Digest)).LinkTarget);
        Assert.Equal(0, Registry.BlobBytesSent);
    }

    [Fact]
    public async Task A_blob_that_is_a_link_is_tested_and_diagnosed_as_its_target_is()
    {
        LinkBlob(_content);
        BlobTarget target = new(Folder.Blob(_content.Digest), BlobDigest.Parse(_content.Digest), _content.Length, null, null);
        BlobTest test = new(target, ReadMode.Buffered);
        await test.RunAsync(CancellationToken.None);
        Assert.Equal(BlobStatus.Valid, test.Status);
        Assert.Equal(_content.Length, target.FileLength);

        BlobDiagnosis diagnosis = new(target, new MemoryControl());
        await diagnosis.RunAsync(CancellationToken.None);
        Assert.Equal(DiagnosisVerdict.Healthy, diagnosis.Verdict);

        File.WriteAllText(Target, "short");
        test = new BlobTest(target, ReadMode.Buffered);
        await test.RunAsync(CancellationToken.None);
        Assert.Equal(BlobStatus.SizeMismatch, test.Status);
    }

    [Fact]
    public async Task A_link_that_leads_nowhere_is_no_blob()
    {
        Directory.CreateDirectory(Folder.Blobs);
        File.CreateSymbolicLink(Folder.Blob(_content.Digest), Target);
        BlobTest test = new(new BlobTarget(Folder.Blob(_content.Digest), BlobDigest.Parse(_content.Digest), _content.Length, null, null), ReadMode.Buffered);
        await test.RunAsync(CancellationToken.None);
        Assert.Equal(BlobStatus.Missing, test.Status);
        Assert.Equal(BlobOutcome.Downloaded, (await SaveAsync(_content)).Outcome);
        Assert.False(File.Exists(Target));
    }

    [NeedsFact("mkfifo")]
    public async Task A_pipe_in_place_of_a_blob_is_not_waited_for()
    {
        Directory.CreateDirectory(Folder.Blobs);
        Unix.Run("mkfifo", Folder.Blob(_content.Digest));
        BlobTest test = new(new BlobTarget(Folder.Blob(_content.Digest), BlobDigest.Parse(_content.Digest), null, null, null), ReadMode.Buffered);
        await test.RunAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(BlobStatus.Unreadable, test.Status);
    }

    [Theory]
    [InlineData("partial")]
    [InlineData("checkpoint")]
    [InlineData("checkpoint.new")]
    [InlineData("blocks-partial")]
    [InlineData("blocks")]
    [InlineData("blocks.new")]
    public async Task A_link_that_was_planted_among_the_work_is_not_written_through(string kind)
    {
        File.CreateSymbolicLink(Plant($"{FileName}.{kind}"), Target);
        await SaveAsync(_content);
        IsNotWrittenThrough();
    }

    [Theory]
    [InlineData("partial")]
    [InlineData("checkpoint.new")]
    [InlineData("blocks-partial")]
    [InlineData("blocks.new")]
    public async Task Nor_is_a_second_name_of_another_file(string kind)
    {
        HardLink.Make(Plant($"{FileName}.{kind}"), Target);
        await SaveAsync(_content);
        IsNotWrittenThrough();
    }

    [Theory]
    [InlineData("partial")]
    [InlineData("checkpoint")]
    [InlineData("blocks-partial")]
    public async Task A_link_that_took_the_place_of_kept_work_is_not_gone_on_with(string kind)
    {
        await StopAtAsync(_content, 2 * MB);
        string kept = Assert.Single(Directory.GetFiles(Folder.Work, $"*.{kind}"));
        File.Move(kept, Target);
        byte[] before = File.ReadAllBytes(Target);
        File.CreateSymbolicLink(kept, Target);
        await SaveAsync(_content);
        Assert.Equal(before, File.ReadAllBytes(Target));
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("sha256-{0}.lock")]
    public async Task A_link_in_place_of_a_lock_is_refused(string name)
    {
        File.CreateSymbolicLink(Plant(name.Replace("sha256-{0}", FileName, StringComparison.Ordinal)), Target);
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal(ModelFault.StoreWriteFailed, fault.Fault);
        Assert.Contains("is a link", fault.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Target));
        Assert.False(Directory.Exists(Folder.Blobs));
    }

    [Fact]
    public async Task A_link_in_place_of_the_work_folder_is_refused()
    {
        Directory.CreateSymbolicLink(Folder.Work, _other.Path);
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal(ModelFault.StoreWriteFailed, fault.Fault);
        Assert.Contains("is a link", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_other.Path));
    }

    [NeedsFact("chown", "stat", Root = true)]
    public async Task What_root_makes_in_the_store_of_a_service_belongs_to_that_service()
    {
        Unix.Run("chown", "65534:65533", Folder.Path);
        await StopAtAsync(_content, 2 * MB);
        await SaveAsync(_content);
        string[] entries = Directory.GetFileSystemEntries(Folder.Path, "*", SearchOption.AllDirectories);
        Assert.Contains(entries, entry => entry.EndsWith("/latest", StringComparison.Ordinal));
        Assert.All(entries, entry => Assert.Equal($"{entry} 65534:65533", $"{entry} {Unix.Stat(entry, "%u:%g")}"));
    }

    void IDisposable.Dispose()
    {
        _other.Dispose();
        Dispose();
    }

    private void LinkBlob(BlobContent content)
    {
        Directory.CreateDirectory(Folder.Blobs);
        using (FileStream file = File.Create(Target))
        {
            for (long offset = 0; offset < content.Length;)
            {
                ReadOnlyMemory<byte> piece = content.Piece(offset, long.MaxValue);
                file.Write(piece.Span);
                offset += piece.Length;
            }
        }

        File.CreateSymbolicLink(Folder.Blob(content.Digest), Target);
    }

    /// <summary>Writes what a link is to lead to.</summary>
    /// <returns>Where the link belongs.</returns>
    private string Plant(string name)
    {
        Directory.CreateDirectory(Folder.Work);
        File.WriteAllText(Target, "precious");
        return Path.Combine(Folder.Work, name);
    }

    private void IsNotWrittenThrough()
    {
        Assert.Equal("precious", File.ReadAllText(Target));
        FileFacts blob = FileFacts.TryReadEntry(Folder.Blob(_content.Digest))!.Value;
        Assert.False(blob.IsLink);
        Assert.Equal(1u, blob.Links);
    }
}
