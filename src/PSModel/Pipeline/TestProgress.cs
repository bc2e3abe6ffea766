using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Verification;

namespace PSModel.Pipeline;

/// <summary>Shows blobs being read. For the pipeline thread alone.</summary>
internal sealed class TestProgress(Cmdlet cmdlet, string title, IReadOnlyCollection<IBlobCheck> checks)
{
    private readonly ProgressBar _bar = new(cmdlet);
    private readonly SpeedGauge _gauge = new();

    public void Show()
    {
        long total = checks.Sum(check => check.TotalBytes);
        long read = checks.Sum(check => check.BytesRead);
        _gauge.Note(read);
        _bar.Show(title, $"{ByteText.Of(read)} of {ByteText.Of(total)}, {ByteText.Of(_gauge.BytesPerSecond)}/s", read, total, _gauge.TimeFor(total - read));
    }

    public void End() => _bar.Remove();
}
