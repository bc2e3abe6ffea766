namespace PSModel.Core.Scheduling;

/// <summary>
/// How many lanes there should be. It begins with one, doubles while bytes are wanted and more lanes bring more, and goes back
/// where they do not. Refusals lower a ceiling, which rises again slowly. Pure: time is given to it. Times are in milliseconds.
/// </summary>
internal sealed class LaneLimit
{
    /// <summary>More lanes must bring this much more, or they are not worth their processor time.</summary>
    private const double WorthwhileGain = 1.15;

    /// <summary>A lane slower than this many bytes a millisecond is held up by the way or the server, not by a processor here:
    /// then more lanes are opened without waiting for proof.</summary>
    private const double SlowLane = 100_000;

    /// <summary>From this rate of all lanes on, in bytes a millisecond, processors have a part in it, and it goes up and down
    /// with whatever else they do.</summary>
    private const double Fast = 400_000;

    /// <summary>The looks that a rate is the mean of: what one look sees comes in bursts.</summary>
    private const int Looks = 6;

    /// <summary>The same for a rate that processors have a part in.</summary>
    private const int LooksWhereFast = 16;

    /// <summary>After so long, new lanes that have brought nothing are given up: connections need their time to start.</summary>
    private const long TrialTime = 1000;

    /// <summary>How long nothing is tried after lanes brought nothing.</summary>
    private const long RestTime = 5000;

    /// <summary>How long a rate is watched after a guess was wrong.</summary>
    private const long GuessTime = 150;

    private const long FirstRecovery = 1000;
    private const long LongestRecovery = 60_000;

    private readonly int _maximum;
    private readonly Queue<(double Rate, bool IsStarved)> _looks = new();

    private long _lastLook;
    private long _received;
    private double _rateBefore;
    private int _lanesBefore;
    private int _targetBefore;
    private bool _isGuess;
    private bool _isFast;
    private long _triedAt;
    private long _restsUntil;
    private long _recovery = FirstRecovery;
    private long _recoversAt;
    private long _recoveredAt = long.MinValue;

    /// <summary>Begins with one.</summary>
    /// <param name="maximum">The most that are ever allowed.</param>
    public LaneLimit(int maximum) => Ceiling = _maximum = maximum;

    /// <summary>How many lanes there should be.</summary>
    public int Target { get; private set; } = 1;

    /// <summary>How many the server is thought to allow.</summary>
    public int Ceiling { get; private set; }

    /// <summary>Whether it may well grow quickly: nothing has shown yet that more lanes bring nothing.</summary>
    public bool IsStarting { get; private set; } = true;

    /// <summary>Bytes arrived.</summary>
    public void Receive(long bytes) => _received += bytes;

    /// <summary>Looks at the flow; to be called some thirty times a second.</summary>
    /// <param name="isStarved">Whether bytes are wanted, room is there, and the hash waits.</param>
    /// <param name="isBusy">Whether this process has little processor time left, so that slowness may be its own.</param>
    /// <param name="now">The time.</param>
    /// <param name="lanes">The lanes that there are for another reason than that they bring more.</param>
    public void Look(bool isStarved, bool isBusy, long now, int lanes = 0)
    {
        double elapsed = Math.Max(1, now - _lastLook);
        _lastLook = now;
        Recover(now);
        if (_received == 0 && _looks.Count == 0)
        {
            // Until the first bytes are there, nobody has measured anything.
            return;
        }

        _looks.Enqueue((_received / elapsed, isStarved));
        _received = 0;
        if (_looks.Count > LooksWhereFast)
        {
            _looks.Dequeue();
        }

        double rate = RateOf(Looks);
        if (_lanesBefore > 0)
        {
            Judge(rate, isStarved, isBusy, now);
        }
        else if (isStarved && Math.Max(Target, lanes) < Ceiling && now >= _restsUntil && rate > 0)
        {
            Try(rate, isBusy, now, lanes);
        }
    }

    /// <summary>The server refuses one lane, and serves others.</summary>
    /// <param name="others">The lanes that it serves.</param>
    /// <param name="retryAfter">The time for which it wants to be left alone.</param>
    /// <param name="now">The time.</param>
    public void Refuse(int others, long? retryAfter, long now)
    {
        // A refusal right after the ceiling was raised says that it was raised too soon.
        bool isTooSoon = _recoveredAt != long.MinValue && now - _recoveredAt < 2 * _recovery;
        _recovery = isTooSoon ? Math.Min(_recovery * 4, LongestRecovery) : _recovery;
        Ceiling = Math.Max(1, Math.Min(Ceiling, others));
        Target = Math.Min(Target, Ceiling);
        _recoversAt = now + Math.Max(_recovery, retryAfter ?? 0);
        _lanesBefore = 0;
    }

    private void Recover(long now)
    {
        if (Ceiling < _maximum && now >= _recoversAt)
        {
            Ceiling = Math.Min(_maximum, Ceiling + Math.Max(1, Ceiling / 4));
            _recoveredAt = now;

            // Each raise that is not refused makes the next one come sooner.
            _recoversAt = now + _recovery;
            _recovery = Math.Max(FirstRecovery, _recovery / 2);
        }
    }

    private void Try(double rate, bool isBusy, long now, int lanes)
    {
        _isGuess = IsStarting && _looks.Count < Looks;
        _isFast = !_isGuess && !IsSlow(rate, isBusy);
        if (_isFast && (_looks.Count < LooksWhereFast || 2 * _looks.Count(look => look.IsStarved) < LooksWhereFast))
        {
            return;
        }

        _targetBefore = Target;
        _lanesBefore = Target = Math.Max(Target, lanes);
        _rateBefore = _isFast ? RateOf(LooksWhereFast) : rate;
        Grow(now);
    }

    private void Judge(double rate, bool isStarved, bool isBusy, long now)
    {
        int looks = _isFast ? LooksWhereFast : Looks;
        bool isSlow = !_isFast && IsSlow(rate, isBusy);
        if (IsStarting && isSlow && isStarved && Target < Ceiling)
        {
            Grow(now);
        }
        else if (_isGuess && !isSlow)
        {
            // The first look saw but the beginning of an answer. Lanes this fast are tried one after the other, against a rate
            // that is known.
            Target = Math.Min(_targetBefore, Ceiling);
            _lanesBefore = 0;
            _restsUntil = now + GuessTime;
            _isGuess = false;
        }
        else if (_looks.Count >= looks && RateOf(looks) >= _rateBefore * GainWanted)
        {
            _lanesBefore = 0;
        }
        else if (now - _triedAt >= TrialTime || (_isFast && _looks.Count == LooksWhereFast))
        {
            // Where rates go up and down, many chances would be one too many.
            Target = Math.Min(_targetBefore, Ceiling);
            _lanesBefore = 0;
            _restsUntil = now + RestTime;
            IsStarting = false;
        }
    }

    /// <summary>The mean of the last looks.</summary>
    private double RateOf(int looks) => _looks.Skip(_looks.Count - looks).Average(look => look.Rate);

    private bool IsSlow(double rate, bool isBusy) => rate < Math.Min(SlowLane * Target, Fast) && !isBusy;

    /// <summary>Half of what lanes bring that are held up by nothing but themselves where the rate goes up and down, and never
    /// more than that: few lanes more can bring but little more.</summary>
    private double GainWanted
    {
        get
        {
            double half = 1 + ((((double)Target / _lanesBefore) - 1) / 2);
            return _isFast ? half : Math.Min(WorthwhileGain, half);
        }
    }

    private void Grow(long now)
    {
        Target = Math.Min(Target * 2, Ceiling);
        _triedAt = now;
        _looks.Clear();
    }
}
