using System.Globalization;
using System.Text.Json;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks;

/// <summary>The scenarios.</summary>
internal sealed class Benchmark(BenchmarkOptions options)
{
    private const int MB = 1_000_000;
    private const long MiB = 1024 * 1024;

    /// <summary>Of those compared with a registry, the ones that fetch the blob from it: all but two, and skopeo fetches it too.</summary>
    private const int ReceivingContenders = 7;

    /// <summary>The engine, the module, and no work: what every PSModel row has on top.</summary>
    private static readonly Contender Empty = new("an empty psmodel process", Psmodel("$null = Get-Command Save-ModelBlob"), ["dotnet"]);

    public async Task RunAsync()
    {
        Console.WriteLine($"{Environment.ProcessorCount} cores, blob of {options.Size / MiB} MiB, {options.Rounds} rounds, in {options.Folder}");
        await RunAsync("nginx", NginxAsync);
        await RunAsync("docker-registry", DockerRegistryAsync);
        await RunAsync("throttled", ThrottledAsync);
        await RunAsync("cutting", CuttingAsync);
        await RunAsync("memory", MemoryAsync);
        await RunAsync("resume", ResumeAsync);
        await RunAsync("test", TestAsync);
        await RunAsync("import", ImportAsync);
        await RunAsync("hash", HashAsync);
        await RunAsync("completion", () => CompletionBenchmark.RunAsync(options.Folder, options.Rounds));
    }

    private static string Psmodel(string script) =>
        $"dotnet '{Checkout.ConsoleProgram}' \"\\$ProgressPreference = 'SilentlyContinue'; {script.Replace("$null", "\\$null", StringComparison.Ordinal)}\"";

    private static string Save(string name, string more) => Psmodel($"$null = Save-ModelBlob {name} '$OUT' -ErrorAction Stop {more}");

    private async Task RunAsync(string scenario, Func<Task> run)
    {
        if (options.Only is null || options.Only == scenario)
        {
            Console.WriteLine();
            Console.WriteLine($"== {scenario}");
            await run();
        }
    }

    private async Task NginxAsync()
    {
        if (NeedsFactAttribute.Find("nginx") is null)
        {
            Console.WriteLine("nginx is not there.");
            return;
        }

        LoopbackModel model = LoopbackModel.Generate("library/bench", "latest", options.Size);
        using NginxRegistry nginx = await NginxRegistry.StartAsync(options.Folder, model);
        await CompareAsync(nginx.Name, nginx.BlobAddress, nginx.BlobPath, model, []);
    }

    private async Task DockerRegistryAsync()
    {
        if (NeedsFactAttribute.Find(DockerRegistry.Program) is null)
        {
            Console.WriteLine("docker-registry is not there.");
            return;
        }

        LoopbackModel model = LoopbackModel.Generate("library/bench", "latest", options.Size);
        using DockerRegistry registry = await DockerRegistry.StartAsync(options.Folder);
        string name = await registry.PushAsync(model);
        await registry.PushAsync(model.WithManifest(OciManifest(model), "oci"));
        string address = $"{registry.Address}v2/{model.Name}/blobs/{model.Blobs[0].Digest}";
        string copy = Path.Combine(options.Folder, $"psmodel-bench-{Guid.NewGuid():N}.blob");
        NginxRegistry.Write(copy, model.Blobs[0]);
        try
        {
            Contender skopeo = new("skopeo copy", $"skopeo copy -q --src-tls-verify=false docker://{registry.Address.Authority}/{model.Name}:oci dir:$OUT/copy", ["skopeo"]);
            TimeSpan before = registry.ProcessorTime;
            (Measurement hash, Measurement curl) = await CompareAsync(name, address, copy, model, [skopeo]);
            double server = (registry.ProcessorTime - before).TotalSeconds / ((options.Rounds + 1) * ReceivingContenders);
            double bound = (server + hash.Cpu + curl.Cpu) / Environment.ProcessorCount;
            Console.WriteLine($"The server takes {server:0.00} CPU s a blob. With openssl and curl -o that is {bound:0.00} s on all cores, {bound / Math.Max(hash.Wall, curl.Wall):0.00} × the floor.");
        }
        finally
        {
            File.Delete(copy);
        }
    }

    /// <summary>skopeo refuses Ollama's media types, so it gets the weights as an OCI image's one layer.</summary>
    private static byte[] OciManifest(LoopbackModel model) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        schemaVersion = 2,
        mediaType = "application/vnd.oci.image.manifest.v1+json",
        config = new { mediaType = "application/vnd.oci.image.config.v1+json", digest = model.Blobs[^1].Digest, size = model.Blobs[^1].Length },
        layers = new[] { new { mediaType = "application/vnd.oci.image.layer.v1.tar", digest = model.Blobs[0].Digest, size = model.Blobs[0].Length } },
    });

    /// <summary>Everything side by side; the floor is the larger of hashing alone and receiving alone.</summary>
    private async Task<(Measurement Hash, Measurement Curl)> CompareAsync(string name, string address, string blob, LoopbackModel model, Contender[] more)
    {
        string digest = model.Blobs[0].Digest;
        string hex = digest["sha256:".Length..];
        Contender hash = new("openssl dgst -sha256 (in memory)", $"openssl dgst -sha256 '{blob}' > /dev/null", ["openssl"]);
        Contender curl = new("curl -o", $"curl -sf -o $OUT/blob {address}", ["curl"]);
        Contender[] contenders =
        [
            hash,
            curl,
            Empty,
            new("Save-ModelBlob -VerifyInline", Save(name, $"-VerifyInline -Digest {digest}"), ["dotnet"]),
            new("Save-ModelBlob (read back)", Save(name, $"-Digest {digest}"), ["dotnet"]),
            new("curl | tee | openssl dgst", $"curl -sf {address} | tee $OUT/blob | openssl dgst -sha256 > /dev/null", ["curl", "openssl"]),
            new("curl -o, then sha256sum", $"curl -sf -o $OUT/blob {address} && sha256sum $OUT/blob > /dev/null", ["curl", "sha256sum"]),
            new("aria2c -x8 --checksum", $"aria2c -q -x8 -s8 --file-allocation=none --checksum=sha-256={hex} -d $OUT -o blob {address}", ["aria2c"]),
            new("Invoke-WebRequest, then Get-FileHash", $"pwsh -NoProfile -Command \"\\$ProgressPreference = 'SilentlyContinue'; Invoke-WebRequest {address} -OutFile $OUT/blob; Get-FileHash $OUT/blob\" > /dev/null", ["pwsh"]),
            .. more,
        ];
        Dictionary<Contender, Measurement> medians = await MeasureAsync(contenders);
        double floor = Math.Max(medians[hash].Wall, medians[curl].Wall);
        double processor = medians[hash].Cpu + medians[curl].Cpu;
        Print(medians, floor, processor);
        return (medians[hash], medians[curl]);
    }

    private async Task ThrottledAsync()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        LoopbackModel model = LoopbackModel.Generate("library/bench", "latest", options.Size);
        LoopbackModel quarter = LoopbackModel.Generate("library/quarter", "latest", options.Size / 4);
        string name = registry.Offer(model);
        string quarterName = registry.Offer(quarter);
        registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                answer.BytesPerSecond = 20 * MB;
                answer.Delay = TimeSpan.FromMilliseconds(50);
            }
        };
        Console.WriteLine("Each connection gives 20 MB/s after 50 ms; one connection fetches a quarter of the blob, to save time.");
        Contender one = new("-ThrottleLimit 1", Save(quarterName, $"-VerifyInline -ThrottleLimit 1 -Digest {quarter.Blobs[0].Digest}"), ["dotnet"]);
        Contender eight = new("-ThrottleLimit 8", Save(name, $"-VerifyInline -ThrottleLimit 8 -Digest {model.Blobs[0].Digest}"), ["dotnet"]);
        Dictionary<Contender, Measurement> medians = await MeasureAsync([Empty, one, eight]);
        double rateOfOne = quarter.Blobs[0].Length / (medians[one].Wall - medians[Empty].Wall);
        double rateOfEight = model.Blobs[0].Length / (medians[eight].Wall - medians[Empty].Wall);
        Console.WriteLine($"one connection {rateOfOne / MB:0.0} MB/s, eight {rateOfEight / MB:0.0} MB/s: {rateOfEight / rateOfOne:0.00} ×");
    }

    private async Task CuttingAsync()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        LoopbackModel whole = LoopbackModel.Generate("library/whole", "latest", options.Size);
        LoopbackModel cut = LoopbackModel.Generate("library/cut", "latest", options.Size);
        string wholeName = registry.Offer(whole);
        string cutName = registry.Offer(cut);
        Random random = new(3);
        registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && request.Path.Contains("/cut/", StringComparison.Ordinal))
            {
                lock (random)
                {
                    answer.CutAfter = random.Next(30 * MB, 200 * MB);
                }
            }
        };
        Console.WriteLine("Each connection is cut after 30 to 200 MB.");
        Contender without = new("without cuts", Save(wholeName, $"-VerifyInline -Digest {whole.Blobs[0].Digest}"), ["dotnet"]);
        Contender with = new("with cuts", Save(cutName, $"-VerifyInline -Digest {cut.Blobs[0].Digest}"), ["dotnet"]);
        Dictionary<Contender, Measurement> medians = await MeasureAsync([Empty, without, with]);
        double empty = medians[Empty].Wall;
        Console.WriteLine($"without {medians[without].Wall - empty:0.00} s, with {medians[with].Wall - empty:0.00} s: {(medians[with].Wall - empty) / (medians[without].Wall - empty):0.00} ×");
    }

    /// <summary>Once as fast as the bytes come, and once with slow connections, which fill the window.</summary>
    private async Task MemoryAsync()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        foreach (int limit in new[] { 0, 40 * MB })
        {
            registry.Fault = (request, answer) => answer.BytesPerSecond = request.IsBlob ? limit : 0;
            foreach (int gibibytes in new[] { 1, 8 })
            {
                LoopbackModel model = LoopbackModel.Generate($"library/of-{gibibytes}", "latest", gibibytes * 1024 * MiB);
                string name = registry.Offer(model);
                Contender save = new($"{gibibytes} GiB", Save(name, $"-VerifyInline -Digest {model.Blobs[0].Digest}"), ["dotnet"]);
                Measurement run = await save.RunAsync(options.Folder);
                Console.WriteLine($"{gibibytes} GiB, {(limit == 0 ? "no limit" : $"{limit / MB} MB/s a connection")}: peak {run.Memory / MiB:0} MiB");
            }
        }
    }

    private Task HashAsync()
    {
        HashBenchmark.Run(options.Rounds);
        return Task.CompletedTask;
    }

    /// <summary>Kills a call late in the blob and starts it again: what comes twice, and how soon the second call asks for bytes.</summary>
    private async Task ResumeAsync()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        using TemporaryFolder store = new(options.Folder);
        LoopbackModel model = LoopbackModel.Generate("library/bench", "latest", options.Size);
        string name = registry.Offer(model);
        string command = Save(name, $"-VerifyInline -Digest {model.Blobs[0].Digest}").Replace("$OUT", store.Path, StringComparison.Ordinal);
        using (ChildProcess killed = ChildProcess.Start("bash", ["-c", $"exec {command}"]))
        {
            while (registry.BlobBytesSent < options.Size * 3 / 4)
            {
                await Task.Delay(1);
            }

            await killed.KillAsync();
        }

        long before = registry.BlobBytesSent;
        DateTime? asked = null;
        registry.Fault = (request, _) => asked ??= request.IsBlob ? DateTime.UtcNow : null;
        using ChildProcess second = ChildProcess.Start("bash", ["-c", $"exec {command.Replace("\\$null = Save", "[datetime]::UtcNow.Ticks; \\$null = Save", StringComparison.Ordinal)}"]);
        await second.WaitAsync();
        DateTime begun = new(long.Parse(second.Output.Trim(), CultureInfo.InvariantCulture), DateTimeKind.Utc);
        Console.WriteLine($"killed after {before / MiB} MiB; {(registry.BlobBytesSent - options.Size) / MiB} MiB came twice, what was in flight included");
        Console.WriteLine($"the second call asked for bytes {(asked!.Value - begun).TotalSeconds:0.00} s after the cmdlet's start");
    }

    private async Task TestAsync()
    {
        LoopbackModel model = LoopbackModel.Generate("library/bench", "latest", options.Size);
        string blob = Path.Combine(options.Folder, $"psmodel-bench-{Guid.NewGuid():N}.blob");
        string other = $"{blob}.second";
        NginxRegistry.Write(blob, model.Blobs[0]);
        File.Copy(blob, other);
        try
        {
            string digest = model.Blobs[0].Digest;
            Contender hash = new("openssl dgst -sha256", $"openssl dgst -sha256 '{blob}' > /dev/null", ["openssl"]);
            Contender one = new("Test-ModelBlob, one blob", Psmodel($"$null = Test-ModelBlob -LiteralPath '{blob}' -Digest {digest}"), ["dotnet"]);
            Contender two = new("Test-ModelBlob, two blobs", Psmodel($"$null = Test-ModelBlob -LiteralPath '{blob}', '{other}' -Digest {digest}"), ["dotnet"]);
            Dictionary<Contender, Measurement> medians = await MeasureAsync([Empty, hash, one, two]);
            Print(medians, medians[hash].Wall, medians[hash].Cpu);
        }
        finally
        {
            File.Delete(blob);
            File.Delete(other);
        }
    }

    /// <summary>Whole processes, since a module is imported but once in each: what PSModel adds to a module that has nothing.</summary>
    private async Task ImportAsync()
    {
        foreach ((string host, string program) in new[] { ("dotnet", $"dotnet '{Checkout.BareEngine}'"), ("pwsh", "pwsh -NoProfile -Command") })
        {
            Contender nothing = new($"{host}: no module", $"{program} '1'", [host]);
            Contender empty = new($"{host}: an empty binary module", $"{program} 'Import-Module {Checkout.EmptyModule}'", [host]);
            Contender module = new($"{host}: PSModel", $"{program} 'Import-Module {Checkout.StagedModule}'", [host]);
            Dictionary<Contender, Measurement> medians = await MeasureAsync([nothing, empty, module]);
            if (medians.Count > 0)
            {
                double difference = medians[module].Wall - medians[empty].Wall;
                Console.WriteLine($"{host}: no module {medians[nothing].Wall:0.000} s, an empty one {medians[empty].Wall:0.000} s, PSModel {medians[module].Wall:0.000} s: {difference * 1000:0} ms more than the empty one, {medians[module].Wall / medians[empty].Wall:0.00} ×");
            }
        }
    }

    /// <summary>Runs all of them in turn, so that whatever changes on the machine changes for all.</summary>
    private async Task<Dictionary<Contender, Measurement>> MeasureAsync(Contender[] contenders)
    {
        Dictionary<Contender, List<Measurement>> runs = contenders.Where(contender => contender.CanRun).ToDictionary(contender => contender, _ => new List<Measurement>());
        for (int round = 0; round <= options.Rounds; round++)
        {
            foreach ((Contender contender, List<Measurement> measured) in runs)
            {
                Measurement run = await contender.RunAsync(options.Folder);

                // The first round warms the caches.
                if (round > 0)
                {
                    measured.Add(run);
                }
            }
        }

        foreach (Contender missing in contenders.Where(contender => !contender.CanRun))
        {
            Console.WriteLine($"{missing.Name}: not run, for want of {string.Join(", ", missing.Needs)}");
        }

        return runs.ToDictionary(pair => pair.Key, pair => Measurement.Median(pair.Value));
    }

    /// <summary>PSModel's rows are shown less the empty process, whose row stands beside them; memory is shown whole.</summary>
    private static void Print(Dictionary<Contender, Measurement> medians, double floor, double processor)
    {
        Measurement empty = medians[Empty];
        Console.WriteLine("| | wall s | × floor | CPU s | × (openssl + curl) | peak MiB |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach ((Contender contender, Measurement median) in medians)
        {
            bool isOurs = contender != Empty && contender.Name.Contains("ModelBlob", StringComparison.Ordinal);
            double wall = median.Wall - (isOurs ? empty.Wall : 0);
            double cpu = median.Cpu - (isOurs ? empty.Cpu : 0);
            Console.WriteLine($"| {contender.Name} | {wall:0.00} | {wall / floor:0.00} | {cpu:0.00} | {cpu / processor:0.00} | {median.Memory / MiB:0} |");
        }
    }
}
