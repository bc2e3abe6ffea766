namespace PSModel.Benchmarks;

/// <summary>Bytes by the name of their unit.</summary>
internal static class Units
{
    public const int MB = 1_000_000;
    public const long MiB = 1024 * 1024;
    public const long GiB = 1024 * MiB;
}
