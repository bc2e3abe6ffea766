namespace System.Diagnostics.CodeAnalysis;

/// <summary>Says what a method promises of an argument by what it returns.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
internal sealed class NotNullWhenAttribute(bool returnValue) : Attribute
{
    /// <summary>The value that promises it.</summary>
    public bool ReturnValue { get; } = returnValue;
}
