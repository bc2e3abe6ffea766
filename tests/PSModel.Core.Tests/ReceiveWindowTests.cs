using PSModel.Core.Transfer;

namespace PSModel.Core.Tests;

public sealed class ReceiveWindowTests
{
    /// <summary>A window of four units makes segments of one.</summary>
    private const int Unit = 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<Chunk> _delivered = [];
    private readonly TransferOptions _options = new() { Window = 4 * Unit, LargestLoss = 100 * Unit };

    [Fact]
    public void Segments_are_handed_out_in_order_two_windows_ahead_and_no_further()
    {
        ReceiveWindow window = new(0, 100 * Unit, _options, _delivered.Add);
        List<Segment> claimed = Claim(window, 8);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => (long)i * Unit), claimed.Select(segment => segment.Start));
        Assert.Null(Claim(window));

        // Bytes that arrived but are neither hashed nor written make no room.
        Offer(window, claimed[0], 0, Unit);
        Assert.Null(Claim(window));
        window.Release(Unit);
        Assert.Equal(8 * Unit, Claim(window)!.Start);
    }

    [Fact]
    public void No_more_arrives_than_the_window_holds_but_the_head_of_the_line_goes_on()
    {
        ReceiveWindow window = new(0, 100 * Unit, _options, _delivered.Add);
        List<Segment> claimed = Claim(window, 6);
        foreach (Segment segment in claimed.Skip(1).Take(4))
        {
            Offer(window, segment, segment.Start, Unit);
        }

        Assert.False(window.HasRoomFor(claimed[5]));
        Assert.False(window.HasRoom);
        Assert.True(window.HasRoomFor(claimed[0]));

        Offer(window, claimed[0], 0, Unit);
        Assert.False(window.HasRoomFor(claimed[5]));
        window.Release(2 * Unit);
        Assert.True(window.HasRoomFor(claimed[5]));
    }

    [Fact]
    public void Even_the_head_of_the_line_waits_for_the_hash_and_the_disk()
    {
        ReceiveWindow window = new(0, 100 * Unit, _options, _delivered.Add);
        List<Segment> claimed = Claim(window, 5);
        foreach (Segment segment in claimed.Take(4))
        {
            Offer(window, segment, segment.Start, Unit);
        }

        Assert.False(window.HasRoomFor(claimed[4]));
        window.Release(Unit);
        Assert.True(window.HasRoomFor(claimed[4]));
    }

    [Fact]
    public void Nothing_arrives_that_a_crash_could_cost_beyond_the_bound()
    {
        _options.LargestLoss = _options.Window + (2 * Unit);
        ReceiveWindow window = new(0, 100 * Unit, _options, _delivered.Add);
        for (int i = 0; i < 2; i++)
        {
            Segment segment = Claim(window)!;
            Offer(window, segment, segment.Start, Unit);
            window.Release(Unit);
        }

        Segment next = Claim(window)!;
        Assert.False(window.HasRoomFor(next));
        window.MarkDurable(Unit);
        Assert.True(window.HasRoomFor(next));
    }

    [Fact]
    public async Task Lanes_that_wait_are_woken_when_there_is_work_or_room_or_nothing_left()
    {
        _options.WaitingLook = Timeout.InfiniteTimeSpan;
        ReceiveWindow window = new(0, 9 * Unit, _options, _delivered.Add);
        List<Segment> claimed = Claim(window, 8);
        claimed.Take(4).ToList().ForEach(segment => Offer(window, segment, segment.Start, Unit));

        Task<Segment?> forWork = Waiting(() => window.Claim(null!, Lanes(), CancellationToken.None));
        Task<bool> forRoom = Waiting(() =>
        {
            window.WaitForRoom(claimed[7], CancellationToken.None);
            return true;
        });
        window.Release(Unit);
        Segment last = (await forWork.WaitAsync(Patience))!;
        Assert.Equal(8 * Unit, last.Start);
        await forRoom.WaitAsync(Patience);

        Task<Segment?> forTheEnd = Waiting(() => window.Claim(null!, Lanes(), CancellationToken.None));
        claimed.Skip(4).Append(last).ToList().ForEach(segment => Offer(window, segment, segment.Start, Unit));
        Assert.Null(await forTheEnd.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_lane_that_waits_is_woken_when_it_is_stopped()
    {
        _options.WaitingLook = Timeout.InfiniteTimeSpan;
        using CancellationTokenSource stop = new();
        ReceiveWindow window = new(0, 9 * Unit, _options, _delivered.Add);
        Claim(window, 8);
        Task<Segment?> held = Waiting(() => window.Claim(null!, Lanes(), stop.Token));
        await stop.CancelAsync();
        window.Wake();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_lane_that_comes_to_wait_after_it_was_stopped_does_not_wait()
    {
        _options.WaitingLook = Timeout.InfiniteTimeSpan;
        using CancellationTokenSource stop = new();
        ReceiveWindow window = new(0, 9 * Unit, _options, _delivered.Add);
        Claim(window, 8);
        stop.Cancel();
        Task claiming = Task.Run(() => window.Claim(null!, Lanes(), stop.Token), CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => claiming.WaitAsync(Patience));
    }

    [Fact]
    public void Whatever_the_order_of_arrival_the_order_of_delivery_is_that_of_the_blob()
    {
        ReceiveWindow window = new(0, 3 * Unit, _options, _delivered.Add);
        List<Segment> claimed = Claim(window, 3);

        Offer(window, claimed[2], claimed[2].Start, Unit);
        Offer(window, claimed[1], claimed[1].Start, Unit / 2);
        Assert.Empty(_delivered);
        Offer(window, claimed[0], 0, Unit);
        Assert.Equal([Unit, Unit * 3 / 2], _delivered.Select(chunk => chunk.End));
        Offer(window, claimed[1], claimed[1].Start + (Unit / 2), Unit / 2);

        Assert.Equal([Unit, Unit * 3 / 2, 2 * Unit, 3 * Unit], _delivered.Select(chunk => chunk.End));
        Assert.True(window.IsComplete);
        Assert.Null(Claim(window));
    }

    [Fact]
    public void Of_two_lanes_with_the_same_bytes_the_first_to_arrive_wins()
    {
        ReceiveWindow window = new(0, Unit, _options, _delivered.Add);
        Segment segment = Claim(window)!;

        Assert.Equal(400, Offer(window, segment, 0, 400));
        Assert.Equal(0, Offer(window, segment, 0, 300));
        Assert.Equal(200, Offer(window, segment, 300, 300));
        Assert.Equal([400, 600], _delivered.Select(chunk => chunk.End));
        Assert.Equal(100, _delivered[1].Start);
        Assert.Equal(200, _delivered[1].Length);
    }

    [Fact]
    public void What_a_lane_gives_up_goes_to_the_next_one()
    {
        ReceiveWindow window = new(0, 100 * Unit, _options, _delivered.Add);
        Segment segment = Claim(window)!;
        Offer(window, segment, 0, 400);
        window.Leave(null!, segment);

        Segment again = Claim(window)!;
        Assert.Same(segment, again);
        Assert.Equal(400, window.FrontierOf(again));
    }

    [Fact]
    public void A_blob_that_is_all_there_is_complete_at_once() => Assert.True(new ReceiveWindow(7, 7, _options, _delivered.Add).IsComplete);

    [Theory]
    [InlineData(1, 100 * Unit, Unit)]
    [InlineData(16, 100 * Unit, Unit)]
    [InlineData(1, Unit / 2, Unit / 2)]
    public void Segments_share_out_the_window(int lanes, long remaining, long length)
    {
        LaneCount count = new(new TransferOptions { Window = 4 * Unit, Connections = 64 });
        count.Aim(lanes);
        Assert.Equal(length, count.SegmentLength(remaining));
    }

    [Fact]
    public void The_end_of_the_blob_is_shared_out_so_that_all_lanes_finish_together()
    {
        LaneCount count = new(new TransferOptions { Window = 64 * Unit, Connections = 8 });
        count.Aim(8);
        Assert.Equal(16 * Unit, count.SegmentLength(1000 * Unit));
        Assert.Equal(4 * Unit, count.SegmentLength(32 * Unit));
    }

    private static List<Segment> Claim(ReceiveWindow window, int count) => [.. Enumerable.Range(0, count).Select(_ => Claim(window)!)];

    private static Segment? Claim(ReceiveWindow window) => window.TryClaim(null!, Lanes());

    private static LaneCount Lanes() => new(new TransferOptions { Window = 4 * Unit });

    /// <summary>Starts what will have to wait, and comes back when it does.</summary>
    private static Task<T> Waiting<T>(Func<T> work)
    {
        Thread? thread = null;
        Task<T> waiting = Task.Factory.StartNew(
            () =>
            {
                Volatile.Write(ref thread, Thread.CurrentThread);
                return work();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref thread)?.ThreadState.HasFlag(ThreadState.WaitSleepJoin) == true, Patience));
        return waiting;
    }

    private static int Offer(ReceiveWindow window, Segment segment, long position, int length) =>
        window.Offer(null!, segment, position, new byte[length], length);
}
