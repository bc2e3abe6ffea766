namespace PSModel.Core.Transfer;

/// <summary>A change in the number of lanes, and what it has brought so far. For one thread at a time.</summary>
internal sealed class LaneTrial
{
    /// <summary>The looks that a rate is the mean of: what one look sees comes in bursts.</summary>
    private const int Latest = 2;

    private readonly Queue<double> _rates = new();
    private int _rest;

    /// <summary>The looks since the change.</summary>
    public int Looks { get; private set; }

    /// <summary>The lanes before the change; 0 where none is on trial.</summary>
    public int LanesBefore { get; private set; }

    /// <summary>The rate before the change.</summary>
    public double RateBefore { get; private set; }

    /// <summary>Bytes a second, the mean over the latest looks.</summary>
    public double Rate => _rates.Average();

    /// <summary>Whether enough was seen to judge by.</summary>
    public bool IsRipe => Looks >= Math.Max(Latest, _rest);

    public void Note(double rate)
    {
        Looks++;
        _rates.Enqueue(rate);
        if (_rates.Count > Latest)
        {
            _rates.Dequeue();
        }
    }

    /// <summary>More lanes are about to be tried.</summary>
    public void Begin(int lanesBefore)
    {
        RateBefore = Rate;
        LanesBefore = lanesBefore;
        Restart(rest: 0);
    }

    /// <summary>Nothing is on trial, and nothing is tried for so many looks.</summary>
    public void Rest(int looks)
    {
        LanesBefore = 0;
        Restart(looks);
    }

    private void Restart(int rest)
    {
        _rest = rest;
        Looks = 0;
        _rates.Clear();
    }
}
