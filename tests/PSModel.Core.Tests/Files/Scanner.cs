using System.Collections.Concurrent;

namespace PSModel.Core.Tests.Files;

/// <summary>Opens every file of a folder for some milliseconds, again and again, as virus scanners and indexers do: for itself alone
/// where it can, else so that others may go on writing, and never so that it may be renamed or removed.</summary>
internal sealed class Scanner : IDisposable
{
    private static readonly TimeSpan Hold = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(60);

    private readonly string _folder;
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    public Scanner(string folder)
    {
        _folder = folder;
        _thread = new Thread(Run) { Name = "scanner", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The files that it opened.</summary>
    public ConcurrentBag<string> Opened { get; } = [];

    public void Stop()
    {
        _stop.Cancel();
        _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Token.WaitHandle.WaitOne(Pause))
        {
            foreach (string path in Directory.Exists(_folder) ? Directory.GetFiles(_folder) : [])
            {
                using FileStream? file = TryOpen(path, FileShare.None) ?? TryOpen(path, FileShare.ReadWrite);
                if (file is not null)
                {
                    Opened.Add(path);
                    _stop.Token.WaitHandle.WaitOne(Hold);
                }
            }
        }
    }

    private static FileStream? TryOpen(string path, FileShare share)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, share);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
