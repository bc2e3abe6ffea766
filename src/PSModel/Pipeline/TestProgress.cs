using System.Management.Automation;
using PSModel.Core.Verification;

namespace PSModel.Pipeline;

/// <summary>Shows blobs being read. For the pipeline thread alone.</summary>
internal sealed class TestProgress(Cmdlet cmdlet, string title, IReadOnlyCollection<IBlobCheck> checks)
{
    private const int Activity = 1;

    private readonly SpeedGauge _gauge = new();
    private bool _isShown;

    public void Show()
    {
        _isShown = true;
        long total = checks.Sum(check => check.TotalBytes);
        long read = checks.Sum(check => check.BytesRead);
        _gauge.Note(read);
        cmdlet.WriteProgress(new ProgressRecord(Activity, title, $"{ByteText.Of(read)} of {ByteText.Of(total)}, {ByteText.Of(_gauge.BytesPerSecond)}/s")
        {
            PercentComplete = total == 0 ? 0 : (int)Math.Min(100, 100.0 * read / total),
            SecondsRemaining = _gauge.TimeFor(total - read) is { } left ? (int)left.TotalSeconds : -1,
        });
    }

    public void End()
    {
        if (_isShown)
        {
            cmdlet.WriteProgress(new ProgressRecord(Activity, title, "Done") { RecordType = ProgressRecordType.Completed });
        }
    }
}
