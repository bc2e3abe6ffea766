using System.Globalization;
using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Shows the module at work against a registry in this very process.</summary>
internal static class Demo
{
    private const long MiB = 1024 * 1024;
    private const long ModelSize = 256 * MiB;

    /// <summary>Pages of operating systems begin at multiples of 4 KiB.</summary>
    private const long PageOffset = (100 * MiB) + (5 * 4096);

    private const long BitOffset = (200 * MiB) + 1234;

    public static async Task<int> RunAsync()
    {
        string store = Path.Combine(Path.GetTempPath(), "psmodel-demo", DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", ModelSize);
        string name = registry.Offer(model);
        string digest = model.Blobs[0].Digest;

        Console.WriteLine("""
            A registry runs in this process and offers a generated model of 256 MiB.
            The download is held to 80 MB/s, so that there is a progress bar to see.
            """);
        using Session session = new();
        int failures = Run(
            session,
            $"Get-ModelManifest {name}",
            $"(Get-ModelManifest {name}).Layers",
            $"Save-ModelBlob {name} '{store}' -VerifyInline -BandwidthLimit 80MB",
            $"Get-ModelManifest -Local -StorePath '{store}'",
            $"Get-ModelManifest -Local -StorePath '{store}' | Test-ModelBlob -StorePath '{store}'");

        Console.WriteLine($"The blobs were verified as they arrived: no byte of them was read back to save them.\n\nNow the file is damaged on the disk: a page of zeros at {PageOffset}, and one bit at {BitOffset}.");
        Damage(Path.Combine(store, "blobs", digest.Replace(':', '-')));
        failures += Run(
            session,
            $"Test-ModelBlob {name} '{store}' -Digest {digest} -Diagnose",
            $"Save-ModelBlob {name} '{store}' -Digest {digest} -Repair | ForEach-Object {{ \"$($_.Status): $($_.BytesReceived) of $($_.Size) bytes were fetched\" }}",
            $"(Test-ModelBlob {name} '{store}' -Digest {digest} -Diagnose).Verdict");

        Console.WriteLine($"""

            The store is at {store}
              blobs      {Path.Combine(store, "blobs")}
              manifests  {Path.Combine(store, "manifests")}
            Ollama lists the model when OLLAMA_MODELS points there. Remove the folder when you have seen enough.
            """);
        return failures == 0 ? 0 : 1;
    }

    private static int Run(Session session, params string[] commands)
    {
        int failures = 0;
        foreach (string command in commands)
        {
            Console.WriteLine($"\nPS> {command}");
            failures += session.Run(command);
        }

        return failures;
    }

    private static void Damage(string blob)
    {
        using FileStream file = new(blob, FileMode.Open, FileAccess.ReadWrite);
        file.Position = PageOffset;
        file.Write(new byte[4096]);
        file.Position = BitOffset;
        int old = file.ReadByte();
        file.Position = BitOffset;
        file.WriteByte((byte)(old ^ 1));
    }
}
