using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Measuring;

/// <summary>Contenders that run a script in PowerShell with the module imported, each run in a process of its own.</summary>
internal static class Psmodel
{
    /// <summary>The runtime compiles a method anew at its thirtieth call and at its sixtieth, and most are called once a save: before
    /// that every save is beside a compiler.</summary>
    private const int ShellSaves = 70;

    /// <summary>What a save of the measured kind makes hot is compiled once more in the background, and watched by the runtime until it
    /// is compiled for good.</summary>
    private const int WarmSaves = 2;

    /// <summary>The longest wait after each of them for what is compiled in the background.</summary>
    private const int SettleSeconds = 15;

    /// <summary>The runtime has settled where it compiles no more methods in a second.</summary>
    private const int FewMethods = 10;

    /// <summary>The seconds that a session measured.</summary>
    public const string SecondsFigure = "seconds";

    /// <summary>The seconds of processor time of what <see cref="SecondsFigure"/> measured.</summary>
    public const string CpuFigure = "cpu";

    /// <summary>What <see cref="SecondsFigure"/> is, for the reader.</summary>
    public const string SecondsMeaning =
        "Seconds are those of Save-ModelBlob alone, by a stopwatch in a running shell: seventy saves of a large and forty small blobs, 7 MB, and two of another model of the same kind, timed as well, have made the runtime compile what it compiles, and it has settled. Where several saves are measured in a session, seconds and processor time are the median of each.";

    /// <summary>A large blob and forty small ones, which take another way. They go into memory: a disk's file system would remember for
    /// minutes the thousands of files that they make and remove.</summary>
    private static readonly Lazy<string> ShellModel = new(() => LoopbackRegistry.Start().Offer(LoopbackModel.OfBlobs(
        "library/shell",
        "latest",
        [BlobContent.Generate(4 * Units.MiB, 200_000), .. Enumerable.Range(200_001, 40).Select(seed => BlobContent.Generate(64 * 1024, seed))])));

    /// <summary>The engine, the module, and no work: what every PSModel process has on top.</summary>
    public static Contender Empty { get; } = Process("an empty psmodel process", "$null = Get-Command Save-ModelBlob");

    /// <summary>A script in a process.</summary>
    /// <param name="name">What the row is called.</param>
    /// <param name="script">In it <c>$env:OUT</c> is the empty folder.</param>
    /// <param name="module">Another build's module.</param>
    public static Contender Process(string name, string script, string? module = null)
    {
        string[] arguments = Pwsh.WithModule(module ?? Checkout.StagedModule, $"$ProgressPreference = 'SilentlyContinue'; {script}");
        return new Contender(name, $"dotnet '{Pwsh.Program}' {string.Join(' ', arguments[1..^1])} \"$SCRIPT\"", ["dotnet"])
        {
            IsOurs = true,
            Environment = [("SCRIPT", arguments[^1])],
        };
    }

    /// <summary>A save, measured as a process.</summary>
    public static Contender Save(string name, string model, string more, string? module = null) =>
        Process(name, $"$null = {Command(model, more)}", module);

    /// <summary>A save, measured inside the session after some of another model, which are measured as well: what PowerShell compiles for
    /// the stopwatch's own statements was seen to take half a second of processor time.</summary>
    /// <param name="name">What the row is called.</param>
    /// <param name="warmModel">The other model.</param>
    /// <param name="model">What is saved.</param>
    /// <param name="more">The other parameters.</param>
    /// <param name="module">Another build's module.</param>
    /// <param name="saves">The saves that are measured, of which the figures are the medians: where a save takes no longer than what the
    /// runtime may compile beside it, one alone is a throw of dice.</param>
    public static Contender TimedSave(string name, string warmModel, string model, string more, string? module = null, int saves = 1) => Process(name, $$"""
        $self = [System.Diagnostics.Process]::GetCurrentProcess()
        $out = $env:OUT
        $shell = Join-Path $(if (Test-Path /dev/shm) { '/dev/shm' } else { $out }) "psmodel-shell-$PID"
        $warm = {{ShellSaves + WarmSaves}}
        $last = $warm + {{saves}}
        $allSeconds = @()
        $allUsed = @()
        foreach ($i in 1..$last) {
            $env:OUT = "$out/$i"
            $self.Refresh()
            $cpu = $self.TotalProcessorTime
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            if ($i -le {{ShellSaves}}) {
                $null = Save-ModelBlob {{ShellModel.Value}} $shell -Force -VerifyInline -ErrorAction Stop
            } elseif ($i -le $warm) {
                $null = Save-ModelBlob {{warmModel}} $env:OUT -VerifyInline -ErrorAction Stop
            } else {
                $null = {{Command(model, more)}}
            }
            $seconds = $clock.Elapsed.TotalSeconds
            $self.Refresh()
            $used = ($self.TotalProcessorTime - $cpu).TotalSeconds
            if ($i -gt $warm) {
                $allSeconds += $seconds
                $allUsed += $used
            }
            if ($i -lt {{ShellSaves}} -or $i -eq $last) { continue }
            foreach ($second in 1..{{SettleSeconds}}) {
                $compiled = [System.Runtime.JitInfo]::GetCompiledMethodCount()
                [System.Threading.Thread]::Sleep(1000)
                if ([System.Runtime.JitInfo]::GetCompiledMethodCount() - $compiled -le {{FewMethods}}) { break }
            }
        }
        [System.IO.Directory]::Delete($shell, $true)
        "figure {{SecondsFigure}} $(@($allSeconds | Sort-Object)[{{saves / 2}}])"
        "figure {{CpuFigure}} $(@($allUsed | Sort-Object)[{{saves / 2}}])"
        """, module);

    /// <summary>The command of a save into the run's folder.</summary>
    public static string Command(string model, string more) => $"Save-ModelBlob {model} $env:OUT -ErrorAction Stop {more}";
}
