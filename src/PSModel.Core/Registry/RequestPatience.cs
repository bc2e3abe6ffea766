namespace PSModel.Core.Registry;

/// <summary>
/// How long a request may take: to connect and to be answered, and between these, for as long as its body is sent, for each piece of
/// that. How long the body's bytes take to be had, from a disk for instance, does not count. Thread-safe: HTTP handlers may send a body
/// on another thread than the one that asked, and give the request up before that has ended.
/// </summary>
internal sealed class RequestPatience : IDisposable
{
    private readonly object _gate = new();
    private readonly RegistryOptions _options;
    private readonly CancellationTokenSource _end;
    private bool _isSending;
    private bool _isOver;
    private volatile bool _isInPiece;

    /// <summary>Starts to count.</summary>
    /// <param name="options">The call's limits.</param>
    /// <param name="forAnswer">What an answer may take beyond the usual, where the server has something to do before it.</param>
    /// <param name="cancellationToken">Ends the request whatever its time.</param>
    public RequestPatience(RegistryOptions options, TimeSpan forAnswer, CancellationToken cancellationToken)
    {
        _options = options;
        AnswerLimit = options.ConnectionTimeout == Timeout.InfiniteTimeSpan ? options.ConnectionTimeout : options.ConnectionTimeout + forAnswer;
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = _end.Token;
        _end.CancelAfter(AnswerLimit);
    }

    /// <summary>Cancelled when the time is up.</summary>
    public CancellationToken Token { get; }

    /// <summary>The longest wait for an answer.</summary>
    public TimeSpan AnswerLimit { get; }

    /// <summary>Whether the time was up while the peer was to take a piece of the body.</summary>
    public bool IsStalled => _isInPiece && Token.IsCancellationRequested;

    /// <summary>The connection stands, and the body begins.</summary>
    /// <exception cref="IOException">Nobody waits for it any more.</exception>
    public void BodyBegins()
    {
        lock (_gate)
        {
            if (_isOver)
            {
                throw new IOException("The request is over.");
            }

            _isSending = true;
            _end.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Gives a piece to the connection.</summary>
    public void Send(Action piece)
    {
        _end.CancelAfter(_options.OperationTimeout);
        _isInPiece = true;
        piece();
        _isInPiece = false;
        _end.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    /// <summary>The body has ended. Where all of it was taken, the answer is waited for.</summary>
    public void BodyEnds()
    {
        lock (_gate)
        {
            _isSending = false;
            _end.CancelAfter(AnswerLimit);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Returns when nobody sends the body any more, nor will.</summary>
    public void Dispose()
    {
        bool isSending;
        lock (_gate)
        {
            _isOver = true;
            isSending = _isSending;
        }

        if (isSending)
        {
            // The connection is closed, or closes by this; what the body waits for hears it, too.
            _end.Cancel();
        }

        lock (_gate)
        {
            while (_isSending)
            {
                Monitor.Wait(_gate);
            }
        }

        _end.Dispose();
    }
}
