using System.Security.Cryptography;
using System.Text;
using PSModel.Core.Hashing;
using Xunit.Abstractions;

namespace PSModel.Core.Tests;

public sealed class Sha256Tests(ITestOutputHelper output)
{
    public static TheoryData<string> Engines => [.. Sha256Engine.Available.Select(engine => engine.Name)];

    [Fact]
    public void Chooses_an_engine()
    {
        output.WriteLine($"chosen: {Sha256Engine.Best.Name}; there are: {string.Join(", ", Sha256Engine.Available.Select(engine => engine.Name))}");
        Assert.NotNull(Sha256Engine.Best);
    }

    /// <summary>FIPS 180-4's examples, and the long message of NIST's.</summary>
    [Theory]
    [MemberData(nameof(Engines))]
    public void Gives_what_NIST_says(string engine)
    {
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Hash(engine, []));
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Hash(engine, "abc"u8.ToArray()));
        Assert.Equal(
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            Hash(engine, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"u8.ToArray()));
        Assert.Equal(
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            Hash(engine, Encoding.ASCII.GetBytes(new string('a', 1_000_000))));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Agrees_with_dotnet_for_every_length_around_the_blocks(string engine)
    {
        byte[] message = Random(1300);
        for (int length = 0; length <= message.Length; length++)
        {
            byte[] part = message.AsSpan(0, length).ToArray();
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(part)), Hash(engine, part));
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Agrees_with_dotnet_on_random_splits(string engine)
    {
        Random random = new(7);
        for (int round = 0; round < 200; round++)
        {
            byte[] message = Random(random.Next(20_000), round);
            Sha256 sha = new(Find(engine));
            for (int at = 0; at < message.Length;)
            {
                int length = Math.Min(random.Next(1, 3000), message.Length - at);
                sha.Append(message.AsSpan(at, length));
                at += length;
            }

            Assert.Equal(SHA256.HashData(message), sha.ComputeHash());
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_state_taken_out_at_any_offset_goes_on_in_any_engine(string engine)
    {
        byte[] message = Random(2048 + 77);
        byte[] expected = SHA256.HashData(message);
        foreach (Sha256Engine other in Sha256Engine.Available)
        {
            for (int offset = 512; offset < 512 + 64; offset++)
            {
                Sha256 first = new(Find(engine));
                first.Append(message.AsSpan(0, offset));
                Sha256 second = Sha256.Restore(first.Export(), other);
                Assert.Equal(offset, second.Length);
                second.Append(message.AsSpan(offset));
                Assert.Equal(expected, second.ComputeHash());
            }
        }
    }

    [Fact]
    public void The_hash_can_be_asked_for_underway()
    {
        Sha256 sha = new();
        sha.Append("ab"u8);
        _ = sha.ComputeHash();
        sha.Append("c"u8);
        Assert.Equal(SHA256.HashData("abc"u8), sha.ComputeHash());
    }

    [Fact]
    public void Refuses_what_is_no_state()
    {
        Sha256 sha = new();
        sha.Append(Random(100));
        byte[] state = sha.Export();
        Assert.Throws<FormatException>(() => Sha256.Restore(state.AsSpan(0, 39)));
        Assert.Throws<FormatException>(() => Sha256.Restore(state.AsSpan(0, state.Length - 1)));
        state[32] = 0x80;
        Assert.Throws<FormatException>(() => Sha256.Restore(state));
    }

    private static Sha256Engine Find(string name) => Sha256Engine.Available.Single(engine => engine.Name == name);

    private static string Hash(string engine, byte[] message)
    {
        Sha256 sha = new(Find(engine));
        sha.Append(message);
        return Convert.ToHexStringLower(sha.ComputeHash());
    }

    private static byte[] Random(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
