namespace PSModel.Benchmarks;

/// <summary>What to run. <paramref name="Size"/> is in bytes.</summary>
internal sealed record BenchmarkOptions(string Folder, int Rounds, long Size, string? Only);
