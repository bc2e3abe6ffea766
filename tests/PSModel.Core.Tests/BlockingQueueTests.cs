using PSModel.Core.Buffers;
using PSModel.Core.Lanes;

namespace PSModel.Core.Tests;

/// <summary>Waits between threads lose no word.</summary>
public sealed class BlockingQueueTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_was_added_comes_in_order_and_then_the_end()
    {
        BlockingQueue<int> queue = new();
        Task<List<int>> taken = Task.Run(() =>
        {
            List<int> all = [];
            while (queue.Take(out int item))
            {
                all.Add(item);
            }

            return all;
        });
        for (int i = 0; i < 1000; i++)
        {
            queue.Add(i);
        }

        queue.Complete();
        Assert.Equal(Enumerable.Range(0, 1000), await taken.WaitAsync(Patience));
        Assert.False(queue.TryTake(out _));
    }

    [Fact]
    public async Task Who_waits_for_some_is_woken_when_they_are_there_and_not_before()
    {
        const int Wanted = 10;
        BlockingQueue<int> queue = new();
        Task waiting = Task.Factory.StartNew(() => queue.WaitFor(Wanted, int.MaxValue), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (int i = 0; i < Wanted; i++)
        {
            Assert.False(waiting.IsCompleted);
            queue.Add(i);
        }

        await waiting.WaitAsync(Patience);
        Assert.True(queue.TryTake(out int first));
        Assert.Equal(0, first);
    }

    [Fact]
    public async Task Who_waits_for_some_is_told_of_the_end()
    {
        BlockingQueue<int> queue = new();
        Task waiting = Task.Factory.StartNew(() => queue.WaitFor(2, int.MaxValue), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        queue.Add(1);
        queue.Complete();
        await waiting.WaitAsync(Patience);
        Assert.True(queue.TryTake(out _));
        Assert.False(queue.Take(out _));
    }

    [Fact]
    public async Task All_that_wait_are_told_of_the_end()
    {
        BlockingQueue<int> queue = new();
        Task<bool>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(() => queue.Take(out int _), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        queue.Complete();
        Assert.DoesNotContain(true, await Task.WhenAll(waiting).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_signal_that_comes_before_the_sleep_ends_it()
    {
        Signal signal = new();
        signal.Set();
        await Task.Run(() => signal.Wait(Timeout.Infinite)).WaitAsync(Patience);
    }
}
