using System.Diagnostics;
using System.Globalization;
using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Load;

/// <summary>
/// A blob of 64 GiB, onto a disk, in PowerShell: as much of it as comes in four minutes. Memory and handles stay, and what came
/// is right up to the checkpoint.
/// </summary>
internal static class LongBlob
{
    private const long Size = 64L << 30;
    private const long MiB = 1024 * 1024;
    private const int MoreHandles = 20;
    private const long MostMemory = 400 * MiB;

    private static readonly TimeSpan Box = TimeSpan.FromMinutes(4);

    /// <summary>By then everything runs that will.</summary>
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(LoopbackRegistry registry, Checker checker)
    {
        using TemporaryFolder store = new();
        BlobContent content = BlobContent.Generate(Size, 1);
        SavedModels models = new();
        models.Add(registry, LoopbackModel.OfBlobs("library/demo", "long", [content]));
        using ChildProcess shell = ChildProcess.Start("dotnet", Pwsh.WithModule($"$ProgressPreference = 'SilentlyContinue'; (Save-ModelBlob {models.Names[0]} '{store.Path}' -VerifyInline -ErrorAction Stop).Status"));
        Task<int> ended = shell.WaitAsync(Box + Box);
        Stopwatch clock = Stopwatch.StartNew();
        int handles = 0;
        while (clock.Elapsed < Box && await Task.WhenAny(ended, Task.Delay(Look)) != ended)
        {
            (int open, long memory) = LookAt(shell.Id);
            checker.That(memory <= MostMemory, "memory stays", () => $"{memory} bytes after {registry.BlobBytesSent}");
            if (clock.Elapsed >= Start)
            {
                handles = handles == 0 ? open : handles;
                checker.That(open <= handles + MoreHandles, "handles stay", () => $"{handles} became {open}");
            }
        }

        checker.Report.CountFault($"{registry.BlobBytesSent / MiB / 1024} GiB of 64 came in {clock.Elapsed.TotalSeconds:0} s");
        if (ended.IsCompleted)
        {
            checker.That(await ended == 0, "everything is saved", () => shell.Output + shell.Error);
            models.LookAtWhole(store.Path, checker);
            new StoreCheck(store.Path, checker).Look();
        }
        else
        {
            await shell.KillAsync();
            LookAtStart(store.Path, content, checker);
        }
    }

    private static (int Handles, long Memory) LookAt(int process)
    {
        try
        {
            const string Resident = "VmRSS:";
            string line = File.ReadLines($"/proc/{process}/status").First(text => text.StartsWith(Resident, StringComparison.Ordinal));
            return (Directory.GetFileSystemEntries($"/proc/{process}/fd").Length, long.Parse(line[Resident.Length..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has just ended.
            return (0, 0);
        }
    }

    private static void LookAtStart(string store, BlobContent content, Checker checker)
    {
        string partial = Directory.GetFiles(Path.Combine(store, ".psmodel"), "*.partial").Single();
        long kept = CoverCheck.CoveredOf(new ModelStore(store), content);
        checker.That(kept > 0, "a checkpoint", () => "there is none");
        using FileStream file = File.OpenRead(partial);
        byte[] buffer = new byte[4 * MiB];
        for (long offset = 0; offset < kept;)
        {
            ReadOnlyMemory<byte> right = content.Piece(offset, Math.Min(buffer.Length, kept - offset));
            file.ReadExactly(buffer, 0, right.Length);
            if (!right.Span.SequenceEqual(buffer.AsSpan(0, right.Length)))
            {
                checker.That(false, "right bytes up to the checkpoint", () => $"not at {offset}");
                return;
            }

            offset += right.Length;
        }

        checker.That(true, "right bytes up to the checkpoint", () => string.Empty);
    }
}
