using PSModel.Benchmarks.Measuring;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>
/// Everything that fetches and verifies one blob, side by side. The floor is the larger of hashing alone, receiving alone,
/// and what server, hash and receiving take of the processor, packed perfectly on all cores.
/// </summary>
internal sealed class RegistryComparison(BenchmarkOptions options, Report report)
{
    private const string Inline = "Save-ModelBlob -VerifyInline";

    /// <summary>As many as fit into memory side by side.</summary>
    private const int Saves = 3;

    public async Task RunAsync(RegistryOrigin origin, double bound, params Contender[] more)
    {
        Contender hash = new("openssl dgst -sha256 (in memory)", $"openssl dgst -sha256 '{origin.File}' > /dev/null", ["openssl"]);
        Contender curl = new("curl -o", $"{Curl(origin)} -o $OUT/blob {origin.Address}", ["curl"]);
        string only = $"-VerifyInline -Digest {origin.Digest}";
        Contender ours = Psmodel.TimedSave($"{Inline}, in a session", origin.WarmModel, origin.Model, only, saves: Saves);
        Contender? before = options.Before is null ? null : Psmodel.TimedSave($"{Inline}, in a session, before", origin.WarmModel, origin.Model, only, options.Before, Saves) with { IsOurs = false };
        Contender[] contenders =
        [
            hash,
            curl,
            Psmodel.Empty,
            ours,
            .. before is null ? Array.Empty<Contender>() : [before],
            Psmodel.Save(Inline, origin.Model, only),
            Psmodel.Save("Save-ModelBlob (read back)", origin.Model, $"-Digest {origin.Digest}"),
            .. Others(origin),
            .. more,
        ];
        Dictionary<Contender, Contender> prepared = contenders.ToDictionary(each => each, each => Prepare(each, origin));
        Dictionary<Contender, Measurement> measured = await new Rounds(options, report).MeasureAsync([.. prepared.Values]);
        Dictionary<Contender, Measurement> medians = prepared.Where(pair => measured.ContainsKey(pair.Value)).ToDictionary(pair => pair.Key, pair => measured[pair.Value]);

        double packed = (medians[curl].Counted + medians[hash].Cpu + medians[curl].Cpu) / Environment.ProcessorCount;
        double floor = Math.Max(packed, Math.Max(medians[hash].Wall, medians[curl].Wall));
        Print(medians, floor);
        Console.WriteLine($"{Psmodel.SecondsMeaning} PSModel's other rows are the process less an empty one; memory is shown whole. Floor {floor:0.00} s: the larger of openssl {medians[hash].Wall:0.00}, curl -o {medians[curl].Wall:0.00} and packed {packed:0.00} s (server {medians[curl].Counted:0.00}, openssl {medians[hash].Cpu:0.00}, curl {medians[curl].Cpu:0.00} CPU s, on {Environment.ProcessorCount} cores).");
        report.AtMost($"{report.Scenario}, {Inline} against the floor", medians[ours].Seconds / floor, bound);
        if (before is not null)
        {
            report.AtMost($"{report.Scenario}, CPU of one blob against before", medians[ours].Figures[Psmodel.CpuFigure] / medians[before].Figures[Psmodel.CpuFigure], 1);
            Console.WriteLine($"wall against before: {medians[ours].Seconds / medians[before].Seconds:0.00} ×");
        }
    }

    private static string Curl(RegistryOrigin origin) => origin.Certificate is null ? "curl -sf" : $"curl -sf --cacert {origin.Certificate.Path}";

    private static Contender[] Others(RegistryOrigin origin)
    {
        string aria = origin.Certificate is null ? string.Empty : $"--ca-certificate={origin.Certificate.Path}";
        string hex = origin.Digest["sha256:".Length..];
        return
        [
            new("curl | tee | openssl dgst", $"{Curl(origin)} {origin.Address} | tee $OUT/blob | openssl dgst -sha256 > /dev/null", ["curl", "openssl"]),
            new("curl -o, then sha256sum", $"{Curl(origin)} -o $OUT/blob {origin.Address} && sha256sum $OUT/blob > /dev/null", ["curl", "sha256sum"]),
            new("aria2c -x8 --checksum", $"aria2c -q -x8 -s8 {aria} --file-allocation=none --checksum=sha-256={hex} -d $OUT -o blob {origin.Address}", ["aria2c"]),
            new("Invoke-WebRequest, then Get-FileHash", $"dotnet '{Pwsh.Program}' -NoProfile -Command \"\\$ProgressPreference = 'SilentlyContinue'; Invoke-WebRequest {origin.Address} -OutFile $OUT/blob; Get-FileHash $OUT/blob\" > /dev/null", ["dotnet"]),
        ];
    }

    /// <summary>Counts the server's processor time, and has .NET trust the certificate.</summary>
    private static Contender Prepare(Contender contender, RegistryOrigin origin) => contender with
    {
        Counter = origin.ProcessorSeconds,
        Environment = origin.Certificate is null ? contender.Environment : [.. contender.Environment, ("SSL_CERT_FILE", origin.Certificate.Path)],
    };

    private static void Print(Dictionary<Contender, Measurement> medians, double floor)
    {
        Console.WriteLine("| | wall s | × floor | CPU s | server CPU s | peak MiB | rounds, s |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach ((Contender contender, Measurement median) in medians)
        {
            bool isTimed = median.Figures.TryGetValue(Psmodel.CpuFigure, out double cpu);
            Measurement? empty = contender.IsOurs && contender != Psmodel.Empty && !isTimed ? medians[Psmodel.Empty] : null;
            double wall = median.Seconds - (empty?.Wall ?? 0);
            cpu = isTimed ? cpu : median.Cpu - (empty?.Cpu ?? 0);
            Console.WriteLine($"| {contender.Name} | {wall:0.00} | {wall / floor:0.00} | {cpu:0.00} | {(isTimed ? string.Empty : $"{median.Counted:0.00}")} | {median.Memory / Units.MiB:0} | {string.Join(' ', median.Runs.Select(run => $"{run:0.00}"))} |");
        }
    }
}
