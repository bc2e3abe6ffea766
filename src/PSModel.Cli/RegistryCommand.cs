using System.Globalization;
using System.Runtime.InteropServices;
using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Serves generated models on loopback until it is stopped, for scripts that test a pipeline of their own.</summary>
internal static class RegistryCommand
{
    private const long MiB = 1024 * 1024;

    public static async Task<int> RunAsync(string[] arguments)
    {
        long size = Read(arguments, "--size", 16) * MiB;
        int port = (int)Read(arguments, "--port", 0);
        await using LoopbackRegistry registry = LoopbackRegistry.Start(port);
        registry.Fault = FaultyModels.Misbehave;
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", size));
        foreach (string faulty in FaultyModels.Names)
        {
            registry.Offer(LoopbackModel.Generate($"library/{faulty}", "latest", size, seed: 2));
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

    private static long Read(string[] arguments, string option, long otherwise)
    {
        int at = Array.IndexOf(arguments, option);
        return at >= 0 && at + 1 < arguments.Length ? long.Parse(arguments[at + 1], CultureInfo.InvariantCulture) : otherwise;
    }
}
