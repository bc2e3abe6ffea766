using System.Runtime.CompilerServices;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Looks at what all tests of the assembly send.</summary>
internal static class CaptureStart
{
    [ModuleInitializer]
    internal static void Start() => RequestCapture.Start();
}
