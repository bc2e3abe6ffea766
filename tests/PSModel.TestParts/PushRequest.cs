namespace PSModel.TestParts;

/// <summary>A request as <see cref="PushRegistry"/> received it, and what a test makes of it.</summary>
public sealed class PushRequest(string method, string path, IReadOnlyDictionary<string, string> headers)
{
    public string Method => method;

    /// <summary>The path, with its query.</summary>
    public string Path => path;

    /// <summary>The headers, their names in lower case.</summary>
    public IReadOnlyDictionary<string, string> Headers => headers;

    /// <summary>The bytes of the body, as far as they came.</summary>
    public byte[] Body { get; internal set; } = [];

    /// <summary>The status that it is answered with, before its body is read.</summary>
    public int? Status { get; set; }

    /// <summary>Headers of that answer.</summary>
    public Dictionary<string, string> AnswerHeaders { get; } = [];

    /// <summary>The text of that answer.</summary>
    public string AnswerText { get; set; } = string.Empty;

    /// <summary>The connection is reset after so many bytes of the body; what came is kept.</summary>
    public long? CutAfter { get; set; }

    /// <summary>No more of the body is read after so many bytes; what came is kept.</summary>
    public long? StallAfter { get; set; }

    /// <summary>What is asked is done, and the connection closed in place of an answer.</summary>
    public bool IsAnswerLost { get; set; }

    /// <summary>The upload is forgotten before anything else is done.</summary>
    public bool IsUploadLost { get; set; }

    public override string ToString() => $"{method} {path}";
}
