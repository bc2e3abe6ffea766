using PSModel.Core.Faults;

namespace PSModel;

/// <summary>
/// Why a model or a blob could not be had, with the facts as properties; those that do not apply are
/// <see langword="null"/>. Sizes are in bytes.
/// </summary>
public sealed class ModelException : Exception
{
    private const int LongestInnerMessage = 500;

    internal ModelException(ModelFaultException fault, string? model)
        : base(Text(fault, model), Plain(fault.InnerException))
    {
        ErrorId = fault.Fault.ToString();
        Name = fault.Facts.Name ?? model;
        Digest = fault.Facts.Digest;
        ActualDigest = fault.Facts.ActualDigest;
        Path = fault.Facts.Path;
        Uri = fault.Facts.Uri;
        StatusCode = fault.Facts.StatusCode;
        ExpectedSize = fault.Facts.ExpectedSize;
        ActualSize = fault.Facts.ActualSize;
        RequiredBytes = fault.Facts.RequiredBytes;
        AvailableBytes = fault.Facts.AvailableBytes;
    }

    private static string Text(ModelFaultException fault, string? model) =>
        model is null || fault.Message.Contains(model) ? fault.Message : $"{fault.Message} It is a blob of {model}.";

    /// <summary>None where what it says is not fit to be shown, a line that a server sent for instance.</summary>
    private static Exception? Plain(Exception? inner)
    {
        for (Exception? e = inner; e is not null; e = e.InnerException)
        {
            if (e.Message.Length > LongestInnerMessage || OutsideText.OneLine(e.Message) != e.Message)
            {
                return null;
            }
        }

        return inner;
    }

    /// <summary>The error id, <c>DigestMismatch</c> for instance.</summary>
    public string ErrorId { get; }

    /// <summary>The model's name.</summary>
    public string? Name { get; }

    /// <summary>The expected digest.</summary>
    public string? Digest { get; }

    /// <summary>The digest found instead.</summary>
    public string? ActualDigest { get; }

    /// <summary>The file or folder concerned.</summary>
    public string? Path { get; }

    /// <summary>The address that answered, without its query.</summary>
    public string? Uri { get; }

    /// <summary>The HTTP status of the answer.</summary>
    public int? StatusCode { get; }

    /// <summary>The size that the manifest names.</summary>
    public long? ExpectedSize { get; }

    /// <summary>The size found instead.</summary>
    public long? ActualSize { get; }

    /// <summary>The room that is needed.</summary>
    public long? RequiredBytes { get; }

    /// <summary>The room that there is.</summary>
    public long? AvailableBytes { get; }
}
