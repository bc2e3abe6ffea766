using System.Globalization;

namespace PSModel.Campaign;

/// <summary>What to run.</summary>
internal sealed record CampaignOptions
{
    /// <summary>Decides everything that chance decides.</summary>
    public required int Seed { get; init; }

    /// <summary>How many scenarios; <see langword="null"/> for the part's own number.</summary>
    public int? Count { get; init; }

    /// <summary>The number of the first scenario.</summary>
    public int Index { get; init; }

    /// <summary>Parts by name; none for all.</summary>
    public string[] Only { get; init; } = [];

    /// <summary>Scenarios at a time.</summary>
    public int Parallel { get; init; } = 8;

    /// <summary>Where the stores are made.</summary>
    public required string Folder { get; init; }

    public static CampaignOptions Parse(string[] args)
    {
        string? Value(string option)
        {
            int at = Array.IndexOf(args, option);
            return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        }

        int Number(string option, int usual) => Value(option) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

        return new CampaignOptions
        {
            Seed = Number("--seed", 1),
            Count = Value("--count") is null ? null : Number("--count", 0),
            Index = Number("--index", 0),
            Only = Value("--only")?.Split(',') ?? [],
            Parallel = Number("--parallel", 8),
            Folder = Value("--folder") ?? (Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath()),
        };
    }
}
