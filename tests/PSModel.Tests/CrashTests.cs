using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>Real processes, really killed.</summary>
public sealed class CrashTests(ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private const long MiB = 1024 * 1024;

    /// <summary>What a crash may cost at most: 64 MiB of window and 32 MiB since the last checkpoint.</summary>
    private const long LargestLoss = 96 * MiB;

    /// <summary>What lies in the sockets of eight connections when a process dies, or when it breaks a request off.</summary>
    private const long InFlight = 48 * MiB;

    private const int KillsInARound = 4;

    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly TemporaryFolder _store = new();
    private readonly BlobContent _content = BlobContent.Generate(256 * MiB, 1);

    [Fact]
    public async Task After_a_hundred_kills_at_random_moments_the_blob_is_right_every_time()
    {
        // Under Wine a process takes five seconds, and what is shown there is that one which is killed lets its files go.
        int kills = OperatingSystem.IsWindows() ? 6 : 100;
        Random random = new(11);
        string script = SaveScript(Offer(), "-ThrottleLimit 8");
        long most = 0;
        int resumed = 0;
        int rounds = 0;
        for (int killed = 0; killed < kills; rounds++)
        {
            // A download that is killed once, at any moment, or again and again, and then goes on to its end.
            bool isOnce = rounds % 2 == 0;
            long before = _registry.BlobBytesSent;
            int inRound = 0;
            for (; inRound < (isOnce ? 1 : KillsInARound) && !IsFinished; inRound++)
            {
                _registry.Fault = RandomCuts(random);
                using ChildProcess process = ChildProcess.StartScript(script);
                Task<int> end = process.WaitAsync();
                long at = _registry.BlobBytesSent + random.NextInt64(1, isOnce ? _content.Length * 9 / 10 : _content.Length / 3);
                await Until.HoldsAsync(() => _registry.BlobBytesSent >= at || end.IsCompleted, TimeSpan.FromMinutes(1));
                Assert.True(!end.IsCompleted || await end == 0, process.Error);
                await process.KillAsync();
            }

            // It may just have finished; then the blob is whole, and that is all there may be.
            string expected = IsFinished ? "AlreadyPresent" : "Downloaded";
            using ChildProcess last = ChildProcess.StartScript(script);
            Assert.True(await last.WaitAsync() == 0, last.Error);
            Assert.Equal(expected, last.Output.Split(' ')[0]);
            resumed += long.Parse(last.Output.Split(' ')[1], CultureInfo.InvariantCulture) > 0 ? 1 : 0;
            Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));

            most = Math.Max(most, isOnce ? _registry.BlobBytesSent - before - _content.Length : 0);
            File.Delete(_store.Blob(_content.Digest));
            killed += inRound;
        }

        output.WriteLine($"{resumed} of {rounds} downloads resumed at their end; at most {most / MiB} MiB came twice after one kill, what was in flight included");
        Assert.InRange(most, 0, LargestLoss + InFlight);
        Assert.True(resumed > rounds / 2);
    }

    [Fact]
    public async Task A_byte_changed_between_kill_and_resume_is_not_read_and_a_test_finds_it()
    {
        string name = Offer();
        _registry.Fault = (_, answer) => answer.BytesPerSecond = 60 * MiB;
        using ChildProcess killed = ChildProcess.StartScript(SaveScript(name, "-ThrottleLimit 1"));
        await WaitForBytesAsync(128 * MiB);
        await killed.KillAsync();

        // Within what the first checkpoint covers, so that it is kept.
        using (FileStream partial = new(Path.Combine(_store.Work, $"{_content.Digest.Replace(':', '-')}.partial"), FileMode.Open))
        {
            partial.Position = MiB;
            int value = partial.ReadByte();
            partial.Position = MiB;
            partial.WriteByte((byte)(value ^ 1));
        }

        _registry.Fault = null;
        using ChildProcess second = ChildProcess.StartScript(SaveScript(name));
        Assert.Equal(0, await second.WaitAsync());
        string[] said = second.Output.Split(' ', '\n');
        Assert.Equal("Downloaded", said[0]);
        Assert.True(long.Parse(said[1], CultureInfo.InvariantCulture) > MiB);

        using ChildProcess test = ChildProcess.StartScript($"(Test-ModelBlob {name} '{_store.Path}').Status");
        Assert.Equal(0, await test.WaitAsync());
        Assert.Equal("DigestMismatch", test.Output.Trim());
    }

    [NeedsFact("strace")]
    public async Task Neither_a_download_nor_a_resume_reads_a_byte_of_the_blob()
    {
        string name = Offer();
        _registry.Fault = (_, answer) => answer.BytesPerSecond = 60 * MiB;
        using ChildProcess killed = ChildProcess.StartScript(SaveScript(name, "-ThrottleLimit 1"));
        await WaitForBytesAsync(128 * MiB);
        await killed.KillAsync();
        _registry.Fault = null;

        using TemporaryFolder folder = new();
        string trace = Path.Combine(folder.Path, "trace");
        using ChildProcess second = ChildProcess.Start(
            "strace", ["-f", "-y", "-e", "trace=openat,read,pread64,readv,preadv,preadv2,mmap,sendfile,copy_file_range,splice", "-o", trace, "dotnet", .. Pwsh.WithModule(SaveScript(name))]);
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.True(long.Parse(second.Output.Split(' ')[1], CultureInfo.InvariantCulture) > 0);

        string file = _content.Digest.Replace(':', '-');
        string[] touching = [.. File.ReadLines(trace).Where(line => line.Contains($"{file}.partial", StringComparison.Ordinal) || line.Contains($"blobs/{file}", StringComparison.Ordinal))];
        Assert.NotEmpty(touching);
        Assert.All(touching, line =>
        {
            Assert.Contains("openat(", line, StringComparison.Ordinal);
            Assert.Contains("O_WRONLY", line, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Two_processes_fetch_a_blob_once()
    {
        // The first one falls silent until the second has come, and then replaces its connection. Of several, each would bring some.
        string name = Offer();
        _registry.Fault = (request, answer) => answer.StallAfter = request.IsBlob ? 4 * MiB : null;
        using ChildProcess first = ChildProcess.StartScript(SaveScript(name, "-OperationTimeoutSeconds 10 -ThrottleLimit 1"));
        await WaitForBytesAsync(4 * MiB);
        using ChildProcess second = ChildProcess.StartScript(SaveScript(name, "-Verbose"));
        await second.WaitForAsync("Another process is fetching");
        _registry.Fault = null;
        Assert.Equal(0, await first.WaitAsync());
        Assert.Equal(0, await second.WaitAsync());

        Assert.StartsWith("Downloaded", first.Output, StringComparison.Ordinal);
        Assert.Contains("\nAlreadyPresent ", second.Output, StringComparison.Ordinal);
        Assert.InRange(_registry.BlobBytesSent, _content.Length, _content.Length + InFlight);
    }

    [Fact]
    public async Task A_killed_owner_leaves_no_lock()
    {
        string name = Offer();
        _registry.Fault = (request, answer) => answer.StallAfter = request.IsBlob ? 4 * MiB : null;
        using ChildProcess first = ChildProcess.StartScript(SaveScript(name, "-ThrottleLimit 1"));
        await WaitForBytesAsync(4 * MiB);
        using ChildProcess second = ChildProcess.StartScript(SaveScript(name, "-Verbose"));
        await second.WaitForAsync("Another process is fetching");
        _registry.Fault = null;
        await first.KillAsync();

        Assert.Equal(0, await second.WaitAsync());
        Assert.Contains("\nDownloaded ", second.Output, StringComparison.Ordinal);
    }

    [NeedsFact("bash")]
    public async Task A_disk_that_fills_up_is_an_error_and_the_checkpoint_survives()
    {
        // A bound on the size of files stands for the full disk: 150 MiB, in blocks of 1 KiB. Writing past it fails as ENOSPC does.
        string name = Offer();
        string script = $"Save-ModelBlob {name} '{_store.Path}' -VerifyInline -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId; $e[0].CategoryInfo.Category";
        using ChildProcess full = ChildProcess.Start(
            "bash", ["-c", "trap '' XFSZ; ulimit -f 153600; exec dotnet \"$@\"", "bash", .. Pwsh.WithModule(script)]);
        await full.WaitAsync();
        Assert.Contains("StoreWriteFailed,", full.Output, StringComparison.Ordinal);
        Assert.Contains("WriteError", full.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_store.Blobs));

        using ChildProcess second = ChildProcess.StartScript(SaveScript(name));
        Assert.Equal(0, await second.WaitAsync());
        Assert.True(long.Parse(second.Output.Split(' ')[1], CultureInfo.InvariantCulture) > 0);
        Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));
    }

    [NeedsFact("mount", "umount", Root = true)]
    public async Task A_volume_that_fills_up_underway_is_an_error_and_the_next_call_goes_on()
    {
        string name = Offer();
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", "size=400m", "none", _store.Path);
        try
        {
            _registry.Fault = (_, answer) => answer.BytesPerSecond = 60 * MiB;
            using ChildProcess full = ChildProcess.StartScript(
                $"Save-ModelBlob {name} '{_store.Path}' -VerifyInline -ThrottleLimit 1 -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId");
            await WaitForBytesAsync(96 * MiB);
            string filler = Path.Combine(_store.Path, "filler");
            FillUp(filler);
            await full.WaitAsync();
            Assert.Contains("StoreWriteFailed,", full.Output, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_store.Blobs));

            File.Delete(filler);
            _registry.Fault = null;
            using ChildProcess second = ChildProcess.StartScript(SaveScript(name));
            Assert.True(await second.WaitAsync() == 0, second.Error);
            Assert.True(long.Parse(second.Output.Split(' ')[1], CultureInfo.InvariantCulture) > 0);
            Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", _store.Path);
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    private static Action<LoopbackRequest, LoopbackAnswer> RandomCuts(Random random) => (request, answer) =>
    {
        if (request.IsBlob)
        {
            lock (random)
            {
                answer.CutAfter = random.NextInt64(MiB, 64 * MiB);
                answer.IsCutByReset = random.Next(2) == 0;
                answer.BytesPerSecond = 300 * MiB;
            }
        }
    };

    private static void FillUp(string path)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] zeros = new byte[64 * 1024];
        try
        {
            while (true)
            {
                file.Write(zeros);
            }
        }
        catch (IOException)
        {
            // Full: that is what was wanted.
        }
    }

    private string Offer() => _registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", _content));

    /// <summary>Says the status and the bytes resumed.</summary>
    private string SaveScript(string name, string more = "") =>
        $"$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob {name} '{_store.Path}' -VerifyInline -RetryIntervalSec 0 {more} | ForEach-Object {{ \"$($_.Status) $($_.BytesResumed) $($_.BytesReceived)\" }}";

    private bool IsFinished => File.Exists(_store.Blob(_content.Digest));

    private Task WaitForBytesAsync(long bytes) => Until.HoldsAsync(() => _registry.BlobBytesSent >= bytes, TimeSpan.FromMinutes(1));
}
