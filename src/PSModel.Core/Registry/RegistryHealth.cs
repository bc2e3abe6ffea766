using System.Collections.Concurrent;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Which registries of a call could not be reached: each of many blobs need not find that out anew. Thread-safe.</summary>
/// <param name="trace">Told of each registry that is passed over.</param>
internal sealed class RegistryHealth(Action<string> trace)
{
    private readonly ConcurrentDictionary<string, bool> _down = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether it could not be reached when it was last asked.</summary>
    public bool IsDown(RegistryEndpoint registry) => _down.ContainsKey(KeyOf(registry));

    /// <summary>Asks one place after the other.</summary>
    /// <param name="places">In the order in which to ask; one at least.</param>
    /// <param name="registryOf">The registry that a place belongs to.</param>
    /// <param name="ask">Asks one of them.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <returns>The first answer that is no fault.</returns>
    /// <exception cref="ModelFaultException">All failed; transient where one of them may yet answer.</exception>
    public TAnswer First<TPlace, TAnswer>(IReadOnlyList<TPlace> places, Func<TPlace, RegistryEndpoint> registryOf, Func<TPlace, TAnswer> ask, CancellationToken cancellationToken)
    {
        List<ModelFaultException> faults = [];
        foreach (TPlace place in places)
        {
            RegistryEndpoint registry = registryOf(place);
            try
            {
                TAnswer answer = ask(place);
                NoteAnswer(registry);
                return answer;
            }
            catch (ModelFaultException fault) when (places.Count > 1)
            {
                cancellationToken.ThrowIfCancellationRequested();
                NoteFault(registry, fault);
                trace($"{registry.Registry.Address.Authority} is passed over: {fault.Message}");
                faults.Add(fault);
            }
        }

        throw Worst(faults);
    }

    private void NoteAnswer(RegistryEndpoint registry) => _down.TryRemove(KeyOf(registry), out _);

    private void NoteFault(RegistryEndpoint registry, ModelFaultException fault)
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

    /// <summary>The fault to tell of several registries' faults: one that may pass, since then it is worth to ask again, else one that is
    /// more than a want.</summary>
    private static ModelFaultException Worst(IReadOnlyList<ModelFaultException> faults) =>
        faults.OrderBy(fault => !fault.IsTransient).ThenBy(fault => fault.Fault is ModelFault.ManifestNotFound or ModelFault.BlobNotFound).First();

    private static string KeyOf(RegistryEndpoint registry) => registry.Registry.Address.GetLeftPart(UriPartial.Authority);
}
