using Xunit;

namespace PSModel.TestParts;

/// <summary>A test that needs programs which a fresh machine may lack. It is skipped there, and .ci/run takes a skip for a failure.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> MayMakeNetworks = new(NetworkHost.MayBeMade);

    private bool _isRoot;
    private bool _isOfNetworks;

    public NeedsFactAttribute(params string[] programs)
    {
        string[] missing = [.. programs.Where(program => Find(program) is null)];
        if (missing.Length > 0)
        {
            Skip = $"needs {string.Join(" and ", missing)}";
        }

        // They are programs of Linux, and Wine's Z: has its own.
        if (OperatingSystem.IsWindows())
        {
            Skip = $"needs {string.Join(" and ", programs)} of Linux";
        }
    }

    /// <summary>The test mounts a volume of its own, which only root may.</summary>
    public bool Root
    {
        get => _isRoot;
        set
        {
            _isRoot = value;
            if (value && Skip is null && Environment.UserName != "root")
            {
                Skip = "needs root";
            }
        }
    }

    /// <summary>The test makes machines with networks of their own, which a container may not, whoever its user is.</summary>
    public bool Networks
    {
        get => _isOfNetworks;
        set
        {
            _isOfNetworks = value;
            if (value && Skip is null && !MayMakeNetworks.Value)
            {
                Skip = "needs leave to make network namespaces";
            }
        }
    }

    /// <summary>The path of a program, if it is there: of the system, or of what tests/windows/install.sh brings besides Wine.</summary>
    public static string? Find(string program) =>
        string.Join(Path.PathSeparator, Environment.GetEnvironmentVariable("PATH"), "/usr/sbin", Path.Combine(Wine.Cache, "bin"))
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
}
