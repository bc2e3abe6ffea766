using System.Globalization;
using System.Runtime.InteropServices;
using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Serves generated models on loopback until it is stopped, for scripts that test a pipeline of their own.</summary>
internal static class RegistryCommand
{
    private const long MiB = 1024 * 1024;

    /// <summary>One TiB.</summary>
    private const long MostMiB = 1024 * 1024;

    /// <summary>Reads the command's arguments.</summary>
    /// <param name="arguments">Options and their values.</param>
    /// <param name="size">The size of each model's weights, in MiB.</param>
    /// <param name="port">The port; 0 for a free one.</param>
    /// <returns>Whether that is what they are.</returns>
    public static bool TryRead(string[] arguments, out long size, out int port)
    {
        size = 16;
        port = 0;
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : string.Empty;
            switch (arguments[i])
            {
                case "--size" when TryReadNumber(value, 1, MostMiB, out size):
                    break;
                case "--port" when TryReadNumber(value, 0, ushort.MaxValue, out long number):
                    port = (int)number;
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>Serves until it is stopped.</summary>
    public static async Task<int> RunAsync(long size, int port)
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start(port);
        registry.Fault = FaultyModels.Misbehave;
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", size * MiB));
        foreach (string faulty in FaultyModels.Names)
        {
            registry.Offer(LoopbackModel.Generate($"library/{faulty}", "latest", size * MiB, seed: 2));
        }

        TaskCompletionSource stopped = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopped.TrySetResult();
        }

        // The first line is for scripts: it comes when the registry answers, and it is a model's whole name.
        Console.WriteLine(name);
        Console.WriteLine($"In place of 'demo', these misbehave as they are called: {string.Join(", ", FaultyModels.Names)}.");
        Console.WriteLine("Ctrl-C, or the end of standard input, stops the registry.");
        await Task.WhenAny(stopped.Task, Task.Run(WaitForEndOfInput));
        return 0;
    }

    private static void WaitForEndOfInput()
    {
        while (Console.In.ReadLine() is not null)
        {
            // What is typed means nothing; only its end does.
        }
    }

    private static bool TryReadNumber(string text, long least, long most, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
}
