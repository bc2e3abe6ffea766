using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Shows the module at work against a registry in this very process.</summary>
internal static class Demo
{
    private const long ModelSize = 256L * 1024 * 1024;

    public static async Task<int> RunAsync()
    {
        string store = Path.Combine(Path.GetTempPath(), "psmodel-demo", DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", System.Globalization.CultureInfo.InvariantCulture));
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", ModelSize));

        Console.WriteLine("""
            A registry runs in this process and offers a generated model of 256 MiB.
            The download is held to 80 MB/s, so that there is a progress bar to see.
            """);
        using Session session = new();
        int failures = 0;
        foreach (string command in new[]
        {
            $"Get-ModelManifest {name}",
            $"(Get-ModelManifest {name}).Layers",
            $"Save-ModelBlob {name} -StorePath '{store}' -VerifyInline -BandwidthLimit 80MB",
            $"Get-ModelManifest -Local -StorePath '{store}'",
            $"Get-ModelManifest -Local -StorePath '{store}' | Test-ModelBlob -StorePath '{store}'",
        })
        {
            Console.WriteLine($"\nPS> {command}");
            failures += session.Run(command);
        }

        Console.WriteLine($"""
            The blobs were verified as they arrived: no byte of them was read back to save them.
            The store is at {store}
              blobs      {Path.Combine(store, "blobs")}
              manifests  {Path.Combine(store, "manifests")}
            Ollama lists the model when OLLAMA_MODELS points there. Remove the folder when you have seen enough.
            """);
        return failures == 0 ? 0 : 1;
    }
}
