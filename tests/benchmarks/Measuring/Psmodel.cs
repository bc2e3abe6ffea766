using PSModel.TestParts;

namespace PSModel.Benchmarks.Measuring;

/// <summary>Contenders that run a script in PowerShell with the module imported, each run in a process of its own.</summary>
internal static class Psmodel
{
    /// <summary>What a save makes hot is compiled once more in the background, and watched by the runtime until it is compiled for
    /// good.</summary>
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
        "Seconds are those of Save-ModelBlob alone, by a stopwatch in the session: the module is imported, two saves of another blob have compiled what is compiled once, and the runtime has settled.";

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

    /// <summary>A save, measured inside the session after some of another model.</summary>
    public static Contender TimedSave(string name, string warmModel, string model, string more, string? module = null) => Process(name, $$"""
        foreach ($i in 1..{{WarmSaves}}) {
            $null = Save-ModelBlob {{warmModel}} "$env:OUT/warm-$i" -VerifyInline -ErrorAction Stop
            foreach ($second in 1..{{SettleSeconds}}) {
                $compiled = [System.Runtime.JitInfo]::GetCompiledMethodCount()
                [System.Threading.Thread]::Sleep(1000)
                if ([System.Runtime.JitInfo]::GetCompiledMethodCount() - $compiled -le {{FewMethods}}) { break }
            }
        }
        $self = [System.Diagnostics.Process]::GetCurrentProcess()
        $cpu = $self.TotalProcessorTime
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $null = {{Command(model, more)}}
        $seconds = $clock.Elapsed.TotalSeconds
        $self.Refresh()
        "figure {{SecondsFigure}} $seconds"
        "figure {{CpuFigure}} $(($self.TotalProcessorTime - $cpu).TotalSeconds)"
        """, module);

    /// <summary>The command of a save into the run's folder.</summary>
    public static string Command(string model, string more) => $"Save-ModelBlob {model} $env:OUT -ErrorAction Stop {more}";
}
