using PSModel.TestParts;

namespace PSModel.Benchmarks.Measuring;

/// <summary>Contenders that run a script in PSModel's console program, each run in a process of its own.</summary>
internal static class Psmodel
{
    /// <summary>The seconds that a session measured.</summary>
    public const string SecondsFigure = "seconds";

    /// <summary>What <see cref="SecondsFigure"/> is, for the reader.</summary>
    public const string SecondsMeaning =
        "Seconds are those of Save-ModelBlob alone, by a stopwatch in the session: the module is imported, and a first save of another blob of 32 MiB has compiled what is compiled once.";

    /// <summary>The engine, the module, and no work: what every PSModel process has on top.</summary>
    public static Contender Empty { get; } = Process("an empty psmodel process", "$null = Get-Command Save-ModelBlob");

    /// <summary>A script in a process.</summary>
    /// <param name="name">What the row is called.</param>
    /// <param name="script">In it <c>$env:OUT</c> is the empty folder.</param>
    /// <param name="program">Another build's console program.</param>
    public static Contender Process(string name, string script, string? program = null) =>
        new(name, $"dotnet '{program ?? Checkout.ConsoleProgram}' \"$SCRIPT\"", ["dotnet"])
        {
            IsOurs = true,
            Environment = [("SCRIPT", $"$ProgressPreference = 'SilentlyContinue'; {script}")],
        };

    /// <summary>A save, measured as a process.</summary>
    public static Contender Save(string name, string model, string more, string? program = null) =>
        Process(name, $"$null = {Command(model, more)}", program);

    /// <summary>A save, measured inside the session after a first one of another model.</summary>
    public static Contender TimedSave(string name, string warmModel, string model, string more) => Process(name, $$"""
        $null = Save-ModelBlob {{warmModel}} "$env:OUT/warm" -VerifyInline -ErrorAction Stop
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $null = {{Command(model, more)}}
        "figure {{SecondsFigure}} $($clock.Elapsed.TotalSeconds)"
        """);

    /// <summary>The command of a save into the run's folder.</summary>
    public static string Command(string model, string more) => $"Save-ModelBlob {model} $env:OUT -ErrorAction Stop {more}";
}
