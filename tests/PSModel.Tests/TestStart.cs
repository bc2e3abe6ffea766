using System.Runtime.CompilerServices;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Before the first test of the assembly.</summary>
internal static class TestStart
{
    [ModuleInitializer]
    internal static void Start() => TestProcess.Start();
}
