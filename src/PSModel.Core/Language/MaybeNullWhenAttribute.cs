namespace System.Diagnostics.CodeAnalysis;

/// <summary>Says of an argument that it may be null by what a method returns.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class MaybeNullWhenAttribute(bool returnValue) : Attribute
{
    /// <summary>The value with which it may be.</summary>
    public bool ReturnValue { get; } = returnValue;
}
