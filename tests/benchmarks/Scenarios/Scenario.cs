using PSModel.Benchmarks.Measuring;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>A set of contenders that are compared in one run, by a name to choose it by.</summary>
internal abstract class Scenario(BenchmarkOptions options, Report report)
{
    public abstract string Name { get; }

    /// <summary>Programs without which nothing of it can be measured.</summary>
    public virtual string[] Needs => [];

    protected BenchmarkOptions Options { get; } = options;

    protected Report Report { get; } = report;

    public abstract Task RunAsync();

    /// <summary>Rounds in memory, or in the folder given.</summary>
    protected Rounds Rounds(string? folder = null) => new(Options, Report) { Folder = folder ?? Options.Folder };

    /// <summary>Rounds of PSModel against PSModel, each warmed up in its own session, over connections that the server slows.</summary>
    protected Rounds ThrottledRounds() => new(Options, Report) { IsWarmedUp = false, IsThrottled = true };
}
