using System.Globalization;
using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Network;

/// <summary>One to four calls while the registry misbehaves, and those that make everything good at the end.</summary>
internal sealed class NetworkScenario(CampaignOptions options, int index, Checker checker, DeadHosts dead)
{
    /// <summary>Each blob may have wrong bytes in a checkpoint, which its next transfer finds; and another for what was damaged in the file.</summary>
    private const int MostLastCalls = 3;

    private readonly Random _random = new((options.Seed * 1_000_003) + index);
    private readonly SavedModels _models = new();

    public async Task RunAsync()
    {
        using TemporaryFolder folder = new(options.Folder);
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string store = Path.Combine(folder.Path, "models");
        FaultyServer server = new(registry, dead, _random, checker.Report);
        OfferModels(registry);
        StoreCheck check = new(store, checker);
        WorkDamage damage = new(_random, store, Path.Combine(folder.Path, "outside"));
        CallRunner runner = new(checker, () => registry.BlobBytesSent);
        server.Begin();
        int calls = _random.Next(1, 5);
        for (int call = 1; call <= calls; call++)
        {
            CallPlan plan = Plan(store, damage);
            checker.Step = $"call {call} of {calls}, {(plan.IsKilled ? "killed, " : string.Empty)}{server.Kinds}";
            checker.Report.CountFault(plan.IsKilled ? "killed" : plan.StopAfter is not null || plan.StopAtBytes is not null ? "stopped" : "left to end");
            _ = plan.IsKilled
                ? await ChildCall.RunKilledAsync(plan, checker, () => registry.BlobBytesSent)
                : await runner.RunAsync(plan);
            check.Look();
            damage.LookOutside(checker);
            Damage(damage);
        }

        server.End();
        await FinishAsync(store, registry, runner, check, new CallPlan { Store = store, Names = _models.Names, Connections = _random.Next(1, 17), ReadBack = damage.IsContentChanged, IsPatient = true }, server.HasSentWrongBytes || damage.IsContentChanged);
        damage.LookOutside(checker);
    }

    /// <summary>Faults have ended: the next call succeeds, and fetches nothing that a checkpoint covers.</summary>
    private async Task FinishAsync(string root, LoopbackRegistry registry, CallRunner runner, StoreCheck check, CallPlan plan, bool mayBeWrong)
    {
        for (int call = 1; call <= MostLastCalls; call++)
        {
            checker.Step = string.Create(CultureInfo.InvariantCulture, $"last call {call}");
            CoverCheck cover = new(root, registry, _models.Blobs);
            CallResult result = await runner.RunAsync(plan);
            check.Look();
            cover.Look(checker, result);
            if (result.IsWhole)
            {
                _models.LookAtWhole(root, checker);
                return;
            }

            bool isForgiven = mayBeWrong && call < MostLastCalls && result.Faults.All(fault => fault.Fault is ModelFault.DigestMismatch or ModelFault.ReadBackMismatch);
            checker.That(isForgiven, "the next call succeeds", () => result.IsStopped ? "it was ended" : string.Join("; ", result.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
            if (!isForgiven)
            {
                return;
            }

            if (result.Faults.Any(fault => fault.Fault == ModelFault.ReadBackMismatch))
            {
                // The files hold other bytes than arrived, since the scenario changed them: what is left of them has no use.
                foreach (string file in Directory.GetFiles(Path.Combine(root, ".psmodel"), "*.checkpoint"))
                {
                    File.Delete(file);
                }
            }
        }
    }

    private void OfferModels(LoopbackRegistry registry)
    {
        int models = _random.Next(1, 4);
        for (int model = 0; model < models; model++)
        {
            List<BlobContent> blobs = [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => NextBlob())];
            _models.Add(registry, LoopbackModel.OfBlobs("library/demo", $"v{model}", blobs));
        }
    }

    /// <summary>Now and then one that an earlier model, or this one, has too.</summary>
    private BlobContent NextBlob()
    {
        const int MiB = 1024 * 1024;
        if (_models.Blobs.Count > 0 && _random.Next(6) == 0)
        {
            return _models.Blobs[_random.Next(_models.Blobs.Count)];
        }

        int length = _random.Next(8) switch
        {
            0 => _random.Next(3),
            1 => _random.Next(100_000),
            2 => MiB - _random.Next(2),
            3 => MiB + _random.Next(3),
            4 => (256 * 1024 * _random.Next(1, 16)) + _random.Next(-1, 2),
            _ => _random.Next(6 * MiB),
        };
        return BlobContent.Generate(length, _random.Next());
    }

    private CallPlan Plan(string store, WorkDamage damage)
    {
        bool isKilled = _random.Next(12) == 0;
        int ending = isKilled ? _random.Next(2) : _random.Next(4);
        return new CallPlan
        {
            Store = store,
            Names = _models.Names,
            Connections = _random.Next(1, 17),

            // What lies in a partial file is read only by who reads back: bytes changed on the disk are for him to find.
            ReadBack = damage.IsContentChanged || _random.Next(3) == 0,
            Force = _random.Next(10) == 0,
            Repair = _random.Next(8) == 0,
            BandwidthLimit = _random.Next(6) == 0 ? _random.Next(1, 40) * 500_000 : 0,
            Retries = _random.Next(5),
            StopAfter = ending == 0 ? _random.Next(600) : isKilled ? 20_000 : null,
            StopAtBytes = ending == 1 ? _random.Next(6_000_000) : null,
            IsKilled = isKilled,
            IsHalted = _random.Next(3) == 0,
        };
    }

    private void Damage(WorkDamage damage)
    {
        if (_random.Next(3) == 0 && damage.Apply([.. _models.Blobs.Select(blob => BlobDigest.Parse(blob.Digest))]) is { } done)
        {
            checker.Report.CountFault(done);
        }
    }
}
