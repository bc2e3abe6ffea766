using PSModel.Core.Lanes;

namespace PSModel.Core.Tests;

/// <summary>The limit in a time of the tests' own: eight connections that always have bytes to give.</summary>
public sealed class RateLimiterTests
{
    private const long Limit = 20_000_000;
    private const int Connections = 8;

    private TimeSpan _now;

    [Theory]
    [InlineData(1.0, 1.0)]
    [InlineData(0.6, 1.0)]
    public void The_flow_is_smooth_within_a_second(double leastPart, double mostPart)
    {
        List<(TimeSpan At, int Bytes)> reads = Run(TimeSpan.FromSeconds(10), leastPart, mostPart);

        // Any quarter of a second, from wherever it begins, holds its share; one read more at either end of it.
        TimeSpan quarter = TimeSpan.FromSeconds(0.25);
        int most = new RateLimiter(Limit).ReadSize(int.MaxValue);
        foreach ((TimeSpan begin, _) in reads.Where(read => read.At < TimeSpan.FromSeconds(9)))
        {
            long bytes = reads.Where(read => read.At >= begin && read.At < begin + quarter).Sum(read => (long)read.Bytes);
            Assert.InRange(bytes, (Limit / 4) - (2 * most), (Limit / 4) + most);
        }
    }

    [Fact]
    public void What_a_read_did_not_bring_is_not_paid_for()
    {
        List<(TimeSpan At, int Bytes)> reads = Run(TimeSpan.FromSeconds(10), 0.1, 0.9);
        Assert.InRange(reads.Sum(read => (long)read.Bytes), Limit * 9.8, Limit * 10.2);
    }

    [Fact]
    public void It_holds_while_somebody_waits_and_not_while_somebody_reads()
    {
        RateLimiter limiter = new(Limit, () => _now);
        limiter.Pay((int)Limit);
        Assert.False(limiter.IsHolding);

        limiter.Pay(1);
        Assert.True(limiter.IsHolding);
        _now = TimeSpan.FromSeconds(1.1);
        Assert.False(limiter.IsHolding);
    }

    [Theory]
    [InlineData(1.0, true)]
    [InlineData(0.3, false)]
    public void It_is_used_up_while_most_of_it_is_taken(double part, bool isUsedUp)
    {
        // Payments come in lumps that are larger than what a look sees.
        RateLimiter limiter = new(Limit, () => _now);
        const int Lump = 500_000;
        double paid = 0;
        for (int look = 0; look < 100; look++)
        {
            _now += TimeSpan.FromMilliseconds(30);
            for (; paid + Lump <= Limit * part * _now.TotalSeconds; paid += Lump)
            {
                limiter.Pay(Lump);
            }

            bool isUsed = limiter.TakeIsUsedUp();
            Assert.True(isUsed == isUsedUp || (look < 30 && isUsed));
        }
    }

    [Fact]
    public void Without_a_limit_nobody_waits()
    {
        RateLimiter limiter = new(0);
        Assert.Equal(1_000_000, limiter.ReadSize(1_000_000));
        Assert.Equal(TimeSpan.Zero, limiter.Pay(1_000_000));
        Assert.Equal(TimeSpan.Zero, limiter.Pay(1_000_000));
        Assert.False(limiter.IsHolding);
    }

    [Fact]
    public async Task Whoever_waits_for_leave_to_read_hears_that_the_call_is_stopped()
    {
        using CancellationTokenSource stop = new();
        RateLimiter limiter = new(1, () => _now);
        limiter.Pay(3600);
        Task reading = Task.Run(() => limiter.Read(null!, [], 0, 1, stop.Token), CancellationToken.None);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    /// <summary>Lets the connections read in turn; each read brings a random part of what it asked for.</summary>
    private List<(TimeSpan At, int Bytes)> Run(TimeSpan duration, double leastPart, double mostPart)
    {
        RateLimiter limiter = new(Limit, () => _now);
        Random random = new(5);
        List<(TimeSpan At, int Bytes)> reads = [];
        (TimeSpan At, int Paid)[] turns = new (TimeSpan, int)[Connections];
        while (true)
        {
            int next = Array.IndexOf(turns, turns.Min());
            (_now, int paid) = turns[next];
            if (_now >= duration)
            {
                return reads;
            }

            int read = (int)(paid * (leastPart + (random.NextDouble() * (mostPart - leastPart))));
            limiter.Refund(paid - read);
            reads.Add((_now, read));

            int size = limiter.ReadSize(512 * 1024);
            turns[next] = (_now + limiter.Pay(size), size);
        }
    }
}
