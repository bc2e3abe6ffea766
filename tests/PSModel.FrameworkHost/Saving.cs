using System.Runtime.CompilerServices;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;

namespace PSModel.FrameworkHost;

/// <summary>Saves a model by the core. A class of its own: the core is not there before the module's initializer has run.</summary>
internal static class Saving
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Run(string name, string store)
    {
        using RegistryClient client = new(new RegistryOptions());
        ModelSaver saver = new(client, new ModelStore(store), new TransferOptions());
        Observer observer = new();
        saver.SaveAsync([new ModelRequest(name, token => client.GetManifest(ModelName.Parse(name), token))], [], observer, CancellationToken.None).GetAwaiter().GetResult();
        return observer.Failures;
    }
}
