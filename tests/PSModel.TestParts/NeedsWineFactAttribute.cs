using Xunit;

namespace PSModel.TestParts;

/// <summary>A test that needs Wine and .NET for Windows, which <c>tests/windows/install.sh</c> lays out; else as
/// <see cref="NeedsFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsWineFactAttribute : FactAttribute
{
    /// <param name="programs">Programs of this side that it needs as well.</param>
    public NeedsWineFactAttribute(params string[] programs)
    {
        string[] missing = [.. programs.Where(program => NeedsFactAttribute.Find(program) is null)];
        Skip = !Wine.IsThere ? "needs Wine: tests/windows/install.sh" : missing.Length > 0 ? $"needs {string.Join(" and ", missing)}" : null;
    }
}
