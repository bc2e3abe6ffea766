using System.Globalization;
using System.Runtime.InteropServices;
using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Serves a generated model on loopback until it is stopped, for scripts that test a pipeline of their own.</summary>
internal static class RegistryCommand
{
    private const long MiB = 1024 * 1024;

    public static async Task<int> RunAsync(string[] arguments)
    {
        long size = Read(arguments, "--size", 16);
        int port = (int)Read(arguments, "--port", 0);
        await using LoopbackRegistry registry = LoopbackRegistry.Start(port);
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", size * MiB));

        TaskCompletionSource stopped = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopped.TrySetResult();
        }

        // The first line is for scripts: it comes when the registry answers, and it is the model's whole name.
        Console.WriteLine(name);
        Console.WriteLine("Ctrl-C, or the end of standard input, stops it.");
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
