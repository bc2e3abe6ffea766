using Xunit;

namespace PSModel.TestParts;

/// <summary>A test with several cases that needs programs which a fresh machine may lack; else as <see cref="NeedsFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    private readonly string[] _programs;
    private bool _isRoot;

    public NeedsTheoryAttribute(params string[] programs)
    {
        _programs = programs;
        Skip = new NeedsFactAttribute(programs).Skip;
    }

    /// <inheritdoc cref="NeedsFactAttribute.Root"/>
    public bool Root
    {
        get => _isRoot;
        set
        {
            _isRoot = value;
            Skip = new NeedsFactAttribute(_programs) { Root = value }.Skip;
        }
    }
}
