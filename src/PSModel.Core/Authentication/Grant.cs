using System.Diagnostics;
using PSModel.Core.Faults;

namespace PSModel.Core.Authentication;

/// <summary>What a registry was last shown for a repository, and took. Who asks for another holds it as a lock; what is current may be
/// read without.</summary>
internal sealed class Grant
{
    private volatile AccessToken? _current;
    private ModelFaultException? _fault;
    private long _failedAt;

    public AccessToken? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>Notes that it was asked for in vain. Under the lock.</summary>
    /// <returns>The fault to throw. Where there was a token before, an answer that is none, a portal's page for instance, may
    /// pass.</returns>
    public ModelFaultException Fail(ModelFaultException fault)
    {
        bool mayPass = _current is not null && fault is { Fault: ModelFault.AuthenticationFailed, Facts.StatusCode: 200 };
        _fault = mayPass ? Copy(fault, isTransient: true) : fault;
        _failedAt = Stopwatch.GetTimestamp();
        return _fault;
    }

    /// <summary>Throws the last fault, if it came after a time. Under the lock.</summary>
    /// <param name="since">The time, by the clock of <see cref="Stopwatch"/>.</param>
    /// <exception cref="ModelFaultException">It did.</exception>
    public void ThrowSince(long since)
    {
        if (_fault is { } fault && _failedAt >= since)
        {
            // One exception that several threads throw would tell of the last one's way alone.
            throw Copy(fault, fault.IsTransient);
        }
    }

    private static ModelFaultException Copy(ModelFaultException fault, bool isTransient) => new(fault.Fault, fault.Message, fault.Facts, fault)
    {
        IsTransient = isTransient,
        RetryAfter = fault.RetryAfter,
    };
}
