using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests;

public sealed class LaneLimitTests
{
    private readonly LaneLimit _limit = new(16);
    private long _now;

    [Fact]
    public void From_one_lane_to_sixteen_on_a_slow_link_takes_a_few_looks()
    {
        LookWhile(() => _limit.Target < 16, lanes => 2_000 * lanes);
        Assert.InRange(_now, 0, 300);
    }

    [Fact]
    public void Lanes_that_bring_nothing_are_taken_back()
    {
        LookWhile(() => _now < 3000, _ => 5_000);
        Assert.Equal(1, _limit.Target);
    }

    [Fact]
    public void On_a_fast_server_the_beginning_of_an_answer_is_no_reason_for_more_lanes()
    {
        _limit.Receive(1000);
        _limit.Look(isStarved: true, isBusy: false, _now += 30);
        Assert.Equal(2, _limit.Target);
        int most = 0;
        LookWhile(
            () =>
            {
                most = Math.Max(most, _now > 60 ? _limit.Target : 0);
                return _now < 1000;
            },
            _ => 800_000);
        Assert.InRange(most, 1, 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Luck_is_no_proof_where_a_fast_rate_goes_up_and_down(int seed)
    {
        Random random = new(seed);
        int withMore = 0;
        LookWhile(
            () =>
            {
                withMore += _limit.Target > 2 ? 1 : 0;
                return _now < 60_000;
            },
            _ => 700_000 * (0.3 + (1.4 * random.NextDouble())));
        Assert.Equal(0, withMore);
    }

    [Fact]
    public void Fast_lanes_that_bring_their_part_are_opened()
    {
        LookWhile(() => _now < 6000, lanes => 200_000 * lanes);
        Assert.Equal(16, _limit.Target);
    }

    [Fact]
    public void Without_processor_time_left_each_doubling_must_prove_itself()
    {
        int most = 0;
        LookWhile(
            () =>
            {
                most = Math.Max(most, _limit.Target);
                return _now < 300;
            },
            _ => 5_000,
            isBusy: true);
        Assert.Equal(2, most);
    }

    [Fact]
    public void Nothing_is_tried_while_nothing_is_wanted()
    {
        LookWhile(() => _now < 3000, lanes => 2_000 * lanes, isStarved: false);
        Assert.Equal(1, _limit.Target);
    }

    [Fact]
    public void A_refusal_lowers_the_ceiling_for_a_while_and_not_for_good()
    {
        LookWhile(() => _limit.Target < 16, lanes => 2_000 * lanes);
        _limit.Refuse(4, retryAfter: null, _now);
        Assert.Equal(4, _limit.Target);
        Assert.Equal(4, _limit.Ceiling);

        long end = _now + 60_000;
        LookWhile(() => _now < end && _limit.Target < 16, lanes => 2_000 * lanes);
        Assert.Equal(16, _limit.Target);
        Assert.True(_now < end);
    }

    [Fact]
    public void Whoever_asked_to_be_left_alone_is()
    {
        LookWhile(() => _limit.Target < 16, lanes => 2_000 * lanes);
        _limit.Refuse(4, retryAfter: 20_000, _now);
        long end = _now + 19_000;
        LookWhile(() => _now < end, lanes => 2_000 * lanes);
        Assert.Equal(4, _limit.Ceiling);
    }

    [Fact]
    public void A_server_that_never_allows_more_is_asked_less_and_less_often()
    {
        LookWhile(() => _limit.Target < 16, lanes => 2_000 * lanes);
        int refusals = 0;
        for (long end = _now + 300_000; _now < end;)
        {
            Look(lanes => 2_000 * lanes, isStarved: true, isBusy: false);
            if (_limit.Target > 4)
            {
                _limit.Refuse(4, retryAfter: null, _now);
                refusals++;
            }
        }

        Assert.InRange(refusals, 2, 20);
    }

    /// <summary>Each blob may have one, so that several are hashed side by side.</summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(16, 4)]
    public void Lanes_that_are_there_anyway_are_tried_with_more_or_not_at_all(int maximum, int tried)
    {
        LaneLimit limit = new(maximum);
        int most = 0;
        for (long now = 30; now < 3000; now += 30)
        {
            limit.Receive(30 * 5_000);
            limit.Look(isStarved: true, isBusy: true, now, lanes: 2);
            most = Math.Max(most, limit.Target);
        }

        Assert.Equal(tried, most);
        Assert.Equal(1, limit.Target);
    }

    private void LookWhile(Func<bool> condition, Func<int, double> rate, bool isStarved = true, bool isBusy = false)
    {
        while (condition())
        {
            Look(rate, isStarved, isBusy);
        }
    }

    /// <param name="rate">Bytes a millisecond that so many lanes bring.</param>
    private void Look(Func<int, double> rate, bool isStarved, bool isBusy)
    {
        _now += 30;
        _limit.Receive((long)(rate(_limit.Target) * 30));
        _limit.Look(isStarved, isBusy, _now);
    }
}
