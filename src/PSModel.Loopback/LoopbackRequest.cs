using System.Globalization;

namespace PSModel.Loopback;

/// <summary>A GET as the registry received it. Immutable.</summary>
public sealed class LoopbackRequest
{
    internal LoopbackRequest(string path, IReadOnlyDictionary<string, string> headers, int number, int connection)
    {
        Path = path;
        Headers = headers;
        Number = number;
        Connection = connection;
        Range = ParseRange(headers.GetValueOrDefault("range"));
    }

    /// <summary>The path, with its query.</summary>
    public string Path { get; }

    /// <summary>The headers, their names in lower case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>Counts the registry's requests from 1.</summary>
    public int Number { get; }

    /// <summary>The connection that it came by; the registry's connections are counted from 1.</summary>
    public int Connection { get; }

    /// <summary>The bytes asked for, the last one included; <see langword="null"/> where all are.</summary>
    public (long First, long? Last)? Range { get; }

    /// <summary>Whether a blob is asked for.</summary>
    public bool IsBlob => Path.Contains("/blobs/", StringComparison.Ordinal);

    /// <summary>The last part of the path, without the query: a digest or a tag.</summary>
    public string Leaf => Path.Split('?')[0].Split('/')[^1];

    private static (long First, long? Last)? ParseRange(string? header)
    {
        const string Unit = "bytes=";
        if (header is null || !header.StartsWith(Unit, StringComparison.Ordinal))
        {
            return null;
        }

        string[] ends = header[Unit.Length..].Split('-');
        return (
            long.Parse(ends[0], CultureInfo.InvariantCulture),
            ends[1].Length == 0 ? null : long.Parse(ends[1], CultureInfo.InvariantCulture));
    }
}
