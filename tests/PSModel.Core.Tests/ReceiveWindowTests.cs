using PSModel.Core.Transfer;

namespace PSModel.Core.Tests;

public sealed class ReceiveWindowTests
{
    private const int Kilo = 1024;

    private readonly List<Chunk> _delivered = [];
    private readonly TransferOptions _options = new() { Window = 64 * Kilo, LargestLoss = 96 * Kilo };

    [Fact]
    public async Task Segments_are_handed_out_in_order_up_to_the_window_and_no_further()
    {
        ReceiveWindow window = new(0, 1024 * Kilo, _options, _delivered.Add);
        List<Segment> claimed = [];
        for (int i = 0; i < 4; i++)
        {
            claimed.Add((await ClaimAsync(window))!);
        }

        Assert.Equal([0, 16 * Kilo, 32 * Kilo, 48 * Kilo], claimed.Select(segment => segment.Start));
        Task<Segment?> next = ClaimAsync(window);
        Assert.False(next.IsCompleted);
        Assert.False(window.HasRoom);

        // Bytes that arrived but are neither hashed nor written make no room.
        Offer(window, claimed[0], 0, 16 * Kilo);
        Assert.False(next.IsCompleted);
        window.Release(16 * Kilo);
        Assert.Equal(64 * Kilo, (await next)!.Start);
    }

    [Fact]
    public async Task Nothing_is_handed_out_that_a_crash_could_cost_beyond_the_bound()
    {
        ReceiveWindow window = new(0, 1024 * Kilo, _options, _delivered.Add);
        for (int i = 0; i < 6; i++)
        {
            Segment segment = (await ClaimAsync(window))!;
            Offer(window, segment, segment.Start, 16 * Kilo);
            window.Release(16 * Kilo);
        }

        Task<Segment?> next = ClaimAsync(window);
        Assert.False(next.IsCompleted);
        window.MarkDurable(32 * Kilo);
        Assert.Equal(96 * Kilo, (await next)!.Start);
    }

    [Fact]
    public async Task Whatever_the_order_of_arrival_the_order_of_delivery_is_that_of_the_blob()
    {
        ReceiveWindow window = new(0, 48 * Kilo, _options, _delivered.Add);
        Segment first = (await ClaimAsync(window))!;
        Segment second = (await ClaimAsync(window))!;
        Segment third = (await ClaimAsync(window))!;

        Offer(window, third, third.Start, 16 * Kilo);
        Offer(window, second, second.Start, 8 * Kilo);
        Assert.Empty(_delivered);
        Offer(window, first, 0, 16 * Kilo);
        Assert.Equal([16 * Kilo, 24 * Kilo], _delivered.Select(chunk => chunk.End));
        Offer(window, second, second.Start + (8 * Kilo), 8 * Kilo);

        Assert.Equal([16 * Kilo, 24 * Kilo, 32 * Kilo, 48 * Kilo], _delivered.Select(chunk => chunk.End));
        Assert.True(window.IsComplete);
        Assert.Null(await ClaimAsync(window));
    }

    [Fact]
    public async Task Of_two_lanes_with_the_same_bytes_the_first_to_arrive_wins()
    {
        ReceiveWindow window = new(0, 16 * Kilo, _options, _delivered.Add);
        Segment segment = (await ClaimAsync(window))!;

        Assert.Equal(4 * Kilo, Offer(window, segment, 0, 4 * Kilo));
        Assert.Equal(0, Offer(window, segment, 0, 3 * Kilo));
        Assert.Equal(2 * Kilo, Offer(window, segment, 3 * Kilo, 3 * Kilo));
        Assert.Equal([4 * Kilo, 6 * Kilo], _delivered.Select(chunk => chunk.End));
        Assert.Equal(Kilo, _delivered[1].Start);
        Assert.Equal(2 * Kilo, _delivered[1].Length);
    }

    [Fact]
    public async Task What_a_lane_gives_up_goes_to_the_next_one()
    {
        ReceiveWindow window = new(0, 1024 * Kilo, _options, _delivered.Add);
        Segment segment = (await window.ClaimAsync(null!, 16 * Kilo, CancellationToken.None))!;
        Offer(window, segment, 0, 4 * Kilo);
        window.Leave(null!, segment);

        Segment again = (await ClaimAsync(window))!;
        Assert.Same(segment, again);
        Assert.Equal(4 * Kilo, window.FrontierOf(again));
    }

    [Fact]
    public void A_blob_that_is_all_there_is_complete_at_once() => Assert.True(new ReceiveWindow(7, 7, _options, _delivered.Add).IsComplete);

    private static Task<Segment?> ClaimAsync(ReceiveWindow window) => window.ClaimAsync(null!, 16 * Kilo, CancellationToken.None);

    private static int Offer(ReceiveWindow window, Segment segment, long position, int length) =>
        window.Offer(null!, segment, position, new byte[length], length);
}
