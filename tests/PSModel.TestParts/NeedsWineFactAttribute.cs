using Xunit;

namespace PSModel.TestParts;

/// <summary>A test that needs Wine and .NET for Windows, which <c>tests/windows/install.sh</c> lays out; else as
/// <see cref="NeedsFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsWineFactAttribute : FactAttribute
{
    public NeedsWineFactAttribute()
    {
        if (!Wine.IsThere)
        {
            Skip = "needs Wine: tests/windows/install.sh";
        }
    }
}
