namespace PSModel.Core.Transfer;

/// <summary>The memory that this process may take, in bytes. Stateless.</summary>
internal static class MemoryLimit
{
#if NET
    /// <summary>That of the machine, the container, or the runtime's own limit, whichever is least.</summary>
    public static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
#else
    /// <summary>.NET Framework cannot tell, and knows no containers.</summary>
    public static long Available => long.MaxValue;
#endif
}
