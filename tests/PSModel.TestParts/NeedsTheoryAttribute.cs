using Xunit;

namespace PSModel.TestParts;

/// <summary>A test with several cases that needs programs which a fresh machine may lack; else as <see cref="NeedsFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(params string[] programs) => Skip = new NeedsFactAttribute(programs).Skip;
}
