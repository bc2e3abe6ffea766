using System.Globalization;
using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Load;

/// <summary>
/// Six runspaces of one PowerShell, each of which imports the module and saves a model; two and two have a large blob in common.
/// Over and over, into new stores: what the process holds after the second round it holds after the last.
/// </summary>
internal static class Runspaces
{
    private const int MiB = 1024 * 1024;
    private const int Rounds = 8;

    /// <summary>The threads of a pool come and go, and each has some handles.</summary>
    private const int MoreHandles = 40;

    private const double MostMemory = 1.25;

    public static async Task RunAsync(string folder, LoopbackRegistry registry, Checker checker)
    {
        SavedModels models = new();
        for (int i = 0; i < 6; i++)
        {
            List<BlobContent> blobs = [BlobContent.Generate(8 * MiB, i / 2), .. Enumerable.Range(0, 12).Select(small => BlobContent.Generate(20_000, (100 * (i + 1)) + small))];
            models.Add(registry, LoopbackModel.OfBlobs($"library/model-{i}", "latest", blobs));
        }

        string names = string.Join(", ", models.Names.Select(name => $"'{name}'"));
        using ChildProcess shell = ChildProcess.Start("dotnet", Pwsh.Bare($$"""
            foreach ($round in 1..{{Rounds}}) {
                {{names}} | ForEach-Object -ThrottleLimit 6 -Parallel {
                    $ProgressPreference = 'SilentlyContinue'
                    Import-Module '{{Checkout.StagedModule}}'
                    $null = Save-ModelBlob $_ "{{folder}}/$using:round" -VerifyInline -ErrorAction Stop
                }
                [GC]::Collect()
                "$((Get-ChildItem /proc/self/fd).Count) $((Get-Process -Id $PID).WorkingSet64)"
            }
            """));
        int code = await shell.WaitAsync(TimeSpan.FromMinutes(5));
        checker.That(code == 0 && shell.Error.Length == 0, "everything is saved", () => shell.Output + shell.Error);
        string[] lines = shell.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        checker.That(lines.Length == Rounds, "everything is saved", () => shell.Output);
        if (lines.Length == Rounds)
        {
            long[] second = Read(lines[1]);
            long[] last = Read(lines[^1]);
            checker.That(last[0] <= second[0] + MoreHandles, "handles stay", () => $"{second[0]} became {last[0]}");
            checker.That(last[1] <= second[1] * MostMemory, "memory stays", () => $"{second[1]} bytes became {last[1]}");
        }

        for (int round = 1; round <= Rounds; round++)
        {
            string store = Path.Combine(folder, round.ToString(CultureInfo.InvariantCulture));
            new StoreCheck(store, checker).Look();
            models.LookAtWhole(store, checker);
        }
    }

    private static long[] Read(string line) => [.. line.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
}
