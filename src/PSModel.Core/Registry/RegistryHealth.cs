using System.Collections.Concurrent;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Which registries of a call could not be reached: each of many blobs need not find that out anew. Thread-safe.</summary>
internal sealed class RegistryHealth
{
    private readonly ConcurrentDictionary<string, bool> _down = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether it could not be reached when it was last asked.</summary>
    public bool IsDown(RegistryEndpoint registry) => _down.ContainsKey(KeyOf(registry));

    /// <summary>It answered.</summary>
    public void NoteAnswer(RegistryEndpoint registry) => _down.TryRemove(KeyOf(registry), out _);

    /// <summary>It failed, in one way or another.</summary>
    public void NoteFault(RegistryEndpoint registry, ModelFaultException fault)
    {
        if (fault.Fault == ModelFault.RegistryUnreachable)
        {
            _down[KeyOf(registry)] = true;
        }
        else
        {
            NoteAnswer(registry);
        }
    }

    /// <summary>Asks one registry after the other, those last that could not be reached.</summary>
    /// <param name="registries">In the order in which to ask; one at least.</param>
    /// <param name="ask">Asks one of them.</param>
    /// <param name="trace">Told of each that is passed over.</param>
    /// <returns>The first answer that is no fault.</returns>
    /// <exception cref="ModelFaultException">All failed; transient where one of them may yet answer.</exception>
    public T First<T>(IReadOnlyList<RegistryEndpoint> registries, Func<RegistryEndpoint, T> ask, Action<string> trace)
    {
        if (registries.Count == 1)
        {
            return ask(registries[0]);
        }

        List<ModelFaultException> faults = [];
        foreach (RegistryEndpoint registry in registries.OrderBy(IsDown).ToList())
        {
            try
            {
                T answer = ask(registry);
                NoteAnswer(registry);
                return answer;
            }
            catch (ModelFaultException fault)
            {
                NoteFault(registry, fault);
                trace($"{registry.Registry.Address.Authority} is passed over: {fault.Message}");
                faults.Add(fault);
            }
        }

        throw Worst(faults);
    }

    /// <summary>The fault to tell of several registries' faults: one that may pass, since then it is worth to ask again, else one that is
    /// more than a want.</summary>
    public static ModelFaultException Worst(IReadOnlyList<ModelFaultException> faults) =>
        faults.OrderBy(fault => !fault.IsTransient).ThenBy(fault => fault.Fault is ModelFault.ManifestNotFound or ModelFault.BlobNotFound).First();

    private static string KeyOf(RegistryEndpoint registry) => registry.Registry.Address.GetLeftPart(UriPartial.Authority);
}
