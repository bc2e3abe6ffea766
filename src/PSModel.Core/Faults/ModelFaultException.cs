namespace PSModel.Core.Faults;

/// <summary>The one exception that the core raises for anything but a programming error or a cancellation.</summary>
public sealed class ModelFaultException : Exception
{
    /// <summary>Makes a fault; its message is put on one line.</summary>
    public ModelFaultException(ModelFault fault, string message, FaultFacts? facts = null, Exception? inner = null)
        : base(OutsideText.OneLine(message), inner)
    {
        Fault = fault;
        Facts = facts ?? new FaultFacts();
    }

    /// <summary>What went wrong.</summary>
    public ModelFault Fault { get; }

    /// <summary>What is known about it; a copy of the facts is not taken.</summary>
    public FaultFacts Facts { get; }

    /// <summary>Whether the same request may well succeed a moment later.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>How long the server asked to be left alone.</summary>
    internal TimeSpan? RetryAfter { get; init; }
}
