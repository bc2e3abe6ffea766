using System.Management.Automation;

namespace PSModel.Pipeline;

/// <summary>One bar on the screen. For the pipeline thread alone.</summary>
/// <param name="cmdlet">Whose it is.</param>
/// <param name="parent">The bar above it, if there is one.</param>
internal sealed class ProgressBar(Cmdlet cmdlet, ProgressBar? parent = null)
{
    private readonly int _id = ProgressId.Next();
    private string? _title;

    /// <summary>Whether it is on the screen.</summary>
    public bool IsShown => _title is not null;

    /// <summary>Shows bytes done of bytes to do.</summary>
    public void Show(string title, string status, long bytes, long total, TimeSpan? left)
    {
        _title = title;
        cmdlet.WriteProgress(new ProgressRecord(_id, title, status)
        {
            ParentActivityId = parent?._id ?? -1,
            PercentComplete = Percent(bytes, total),
            SecondsRemaining = left is { } time ? (int)time.TotalSeconds : -1,
        });
    }

    /// <summary>Shows something whose end is not known.</summary>
    public void Show(string title, string status)
    {
        _title = title;
        cmdlet.WriteProgress(new ProgressRecord(_id, title, status) { ParentActivityId = parent?._id ?? -1, PercentComplete = -1 });
    }

    /// <summary>Takes it away, if it was shown.</summary>
    public void Remove()
    {
        if (_title is not null)
        {
            cmdlet.WriteProgress(new ProgressRecord(_id, _title, "Done") { RecordType = ProgressRecordType.Completed });
            _title = null;
        }
    }

    public static int Percent(long bytes, long total) => total == 0 ? 100 : (int)Math.Min(100, 100.0 * bytes / total);
}
