using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Xunit.Runners;

namespace PSModel.TestParts;

/// <summary>
/// Runs the tests of the program itself, where <c>dotnet test</c> cannot: under Wine. What is left out there, and why, stands in
/// <c>tests/windows/left-out.txt</c>.
/// </summary>
public static class TestProgram
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    /// <summary>Runs the tests of the assembly that calls, and tells what became of them.</summary>
    /// <param name="arguments">Names of classes or methods, with their namespaces, that are run alone; none for all that are not
    /// left out.</param>
    /// <returns>The exit code: 0 where all passed.</returns>
    public static int Run(string[] arguments)
    {
        Assembly assembly = Assembly.GetEntryAssembly()!;
        LeftOut leftOut = LeftOut.Read();
        Stopwatch time = Stopwatch.StartNew();
        Dictionary<string, decimal> seconds = [];
        List<string> skipped = [];
        int passed = 0;
        int failed = 0;
        RunningTests running = new();
        using ManualResetEventSlim ended = new();
        using (AssemblyRunner runner = AssemblyRunner.WithoutAppDomain(assembly.Location))
        {
            runner.TestCaseFilter = test =>
            {
                string type = test.TestMethod.TestClass.Class.Name;
                string method = $"{type}.{test.TestMethod.Method.Name}";
                return arguments.Length > 0 ? arguments.Contains(type) || arguments.Contains(method) : !leftOut.Has(type, method);
            };
            runner.OnTestStarting = test => running.Begin(test.TestDisplayName);
            runner.OnTestFinished = test =>
            {
                running.End(test.TestDisplayName);
                lock (seconds)
                {
                    seconds[test.TypeName] = seconds.GetValueOrDefault(test.TypeName) + test.ExecutionTime;
                }
            };
            runner.OnTestPassed = _ => Interlocked.Increment(ref passed);
            runner.OnTestSkipped = test =>
            {
                lock (skipped)
                {
                    skipped.Add($"{test.TestDisplayName}: {test.SkipReason}");
                }
            };
            runner.OnTestFailed = test =>
            {
                Interlocked.Increment(ref failed);
                Console.WriteLine($"FAILED {test.TestDisplayName}\n{test.ExceptionType}: {test.ExceptionMessage}\n{test.ExceptionStackTrace}\n{test.Output}");
            };
            runner.OnErrorMessage = error =>
            {
                Interlocked.Increment(ref failed);
                Console.WriteLine($"ERROR {error.ExceptionType}: {error.ExceptionMessage}\n{error.ExceptionStackTrace}");
            };
            runner.OnExecutionComplete = _ => ended.Set();
            runner.Start();
            while (!ended.Wait(Look))
            {
                if (running.HaveStalled)
                {
                    // The runner has no way to give one up.
                    Console.WriteLine($"ERROR These do not come to an end:\n{running}");
                    End(1);
                }
            }

            while (runner.Status != AssemblyRunnerStatus.Idle)
            {
                Thread.Yield();
            }
        }

        foreach ((string type, decimal taken) in seconds.OrderByDescending(entry => entry.Value).Take(12))
        {
            Console.WriteLine($"{taken,8:F1} s  {type}");
        }

        foreach (string test in skipped.Order(StringComparer.Ordinal))
        {
            Console.WriteLine($"skipped  {test}");
        }

        if (arguments.Length == 0)
        {
            foreach (string name in leftOut.Unused(assembly.GetName().Name!))
            {
                failed++;
                Console.WriteLine($"ERROR left-out.txt names {name}, and there is no such test.");
            }
        }

        Console.WriteLine($"{RuntimeName}: {passed} passed, {failed} failed, {skipped.Count} skipped, {leftOut.Count} left out, {time.Elapsed.TotalSeconds:F0} s");
        int exitCode = failed == 0 && passed > 0 ? 0 : 1;
        if (OperatingSystem.IsWindows())
        {
            End(exitCode);
        }

        return exitCode;
    }

    private static void End(int exitCode)
    {
        Console.Out.Flush();
        if (OperatingSystem.IsWindows())
        {
            // At the end of a process Wine waits now and then for a lock that a thread had which has ended.
            TerminateProcess(-1, (uint)exitCode);
        }

        Environment.Exit(exitCode);
    }

    /// <summary>-1 is the process itself.</summary>
    [DllImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool TerminateProcess(nint process, uint exitCode);

    private static string RuntimeName => $"{RuntimeInformation.FrameworkDescription} on {Environment.OSVersion.Platform}";
}
