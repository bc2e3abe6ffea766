using PSModel.Core.Diagnosis;

namespace PSModel.Core.Tests;

public sealed class DamageComparerTests
{
    private readonly byte[] _right = new byte[64 * 1024];

    public DamageComparerTests() => new Random(3).NextBytes(_right);

    [Fact]
    public void Each_kind_of_damage_is_named_at_its_place()
    {
        byte[] wrong = (byte[])_right.Clone();
        wrong[100] ^= 8;
        new Random(4).NextBytes(wrong.AsSpan(640, 128));
        wrong.AsSpan(8192, 4096).Clear();
        wrong[20_000] ^= 0xff;
        wrong[20_003] ^= 0xff;
        System.Text.Encoding.ASCII.GetBytes("<?xml version='1.0'?><Error>AccessDenied</Error>").CopyTo(wrong, 30_000);
        _right.AsSpan(0, 500).CopyTo(wrong.AsSpan(40_000));

        Assert.Equal(
            [
                (100, 1, DamagePattern.SingleBit), (640, 128, DamagePattern.CacheLineRuns), (8192, 4096, DamagePattern.ZeroedPages),
                (20_000, 4, DamagePattern.Other), (30_000, 48, DamagePattern.Markup), (40_000, 500, DamagePattern.RepeatOfStart),
            ],
            DamageComparer.Compare(0, _right, wrong, _right).Select(range => ((int)range.Offset, (int)range.Length, range.Pattern)));
    }

    [Fact]
    public void Without_the_beginning_nothing_is_called_a_repeat_of_it()
    {
        byte[] wrong = (byte[])_right.Clone();
        new Random(4).NextBytes(wrong.AsSpan(640, 128));
        Assert.Equal(DamagePattern.CacheLineRuns, Assert.Single(DamageComparer.Compare(0, _right, wrong, [])).Pattern);
    }

    [Fact]
    public void Places_count_from_the_beginning_of_the_blob()
    {
        byte[] wrong = (byte[])_right.Clone();
        new Random(4).NextBytes(wrong.AsSpan(664, 64));
        wrong.AsSpan(1560, 4096).Clear();
        Assert.Equal(
            [(1_000_000_640, 64, DamagePattern.CacheLineRuns), (1_000_001_536, 4096, DamagePattern.ZeroedPages)],
            DamageComparer.Compare(999_999_976, _right, wrong, []).Select(range => ((int)range.Offset, (int)range.Length, range.Pattern)));
    }
}
