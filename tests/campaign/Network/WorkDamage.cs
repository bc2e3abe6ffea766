using PSModel.Campaign.Checking;
using PSModel.Core.Names;

namespace PSModel.Campaign.Network;

/// <summary>What may befall the files of unfinished work between two calls. For one thread.</summary>
internal sealed class WorkDamage
{
    private readonly Random _random;
    private readonly string _work;
    private readonly string _outside;
    private readonly byte[] _precious;

    public WorkDamage(Random random, string store, string outside)
    {
        _random = random;
        _work = Path.Combine(store, ".psmodel");
        _outside = outside;
        _precious = new byte[3_000_000];
        random.NextBytes(_precious);
        File.WriteAllBytes(outside, _precious);
    }

    /// <summary>Whether the bytes of a file may be others than those that arrived.</summary>
    public bool IsContentChanged { get; private set; }

    /// <summary>Whether checkpoints may be gone or worthless.</summary>
    public bool IsDone { get; private set; }

    /// <summary>A file outside the store, to which links were laid, is as it was.</summary>
    public void LookOutside(Checker checker) => checker.That(
        File.ReadAllBytes(_outside).AsSpan().SequenceEqual(_precious),
        "nothing outside the store",
        () => $"'{_outside}' was changed");

    /// <summary>Damages something, if there is anything.</summary>
    /// <returns>What was done.</returns>
    public string? Apply(IReadOnlyList<BlobDigest> blobs)
    {
        string[] files = Directory.Exists(_work) ? [.. Directory.GetFiles(_work).Where(IsWork).Order(StringComparer.Ordinal)] : [];
        if (files.Length == 0)
        {
            return Plant(blobs);
        }

        IsDone = true;
        string file = files[_random.Next(files.Length)];
        string done = _random.Next(7) switch
        {
            0 => Flip(file),
            1 => Truncate(file),
            2 => Grow(file),
            3 => Swap(file, files[_random.Next(files.Length)]),
            4 => Link(file),
            5 => Delete(file),
            _ => Plant(blobs),
        };
        return done;
    }

    /// <summary>Locks hold nothing; one that was made a link is refused, with advice, until somebody removes it. What is a link
    /// already is not written through here.</summary>
    private static bool IsWork(string file) => !file.EndsWith("lock", StringComparison.Ordinal) && new FileInfo(file).LinkTarget is null;

    private string Flip(string file)
    {
        IsContentChanged = true;
        byte[] bytes = File.ReadAllBytes(file);
        if (bytes.Length > 0)
        {
            bytes[_random.Next(bytes.Length)] ^= 0x04;
            File.WriteAllBytes(file, bytes);
        }

        return Name("flip", file);
    }

    private string Truncate(string file)
    {
        using FileStream stream = new(file, FileMode.Open);
        stream.SetLength(_random.NextInt64(stream.Length + 1));
        return Name("truncate", file);
    }

    private string Grow(string file)
    {
        byte[] more = new byte[_random.Next(1, 3_000_000)];
        _random.NextBytes(more);
        using FileStream stream = new(file, FileMode.Append);
        stream.Write(more);
        return Name("grow", file);
    }

    private string Swap(string file, string other)
    {
        IsContentChanged = true;
        if (file != other)
        {
            string between = Path.Combine(_work, "between");
            File.Move(file, between);
            File.Move(other, file);
            File.Move(between, other);
        }

        return $"{Name("swap", file)} with {Path.GetExtension(other)}";
    }

    /// <summary>The link's target has other bytes, so whatever trusts them is wrong.</summary>
    private string Link(string file)
    {
        IsContentChanged = true;
        File.Delete(file);
        File.CreateSymbolicLink(file, _outside);
        return Name("link", file);
    }

    private static string Delete(string file)
    {
        File.Delete(file);
        return Name("delete", file);
    }

    /// <summary>A link where a file is going to be.</summary>
    private string Plant(IReadOnlyList<BlobDigest> blobs)
    {
        IsDone = IsContentChanged = true;
        string[] kinds = [".partial", ".checkpoint", ".checkpoint.new", ".blocks", ".blocks.new", ".blocks-partial", ".repair"];
        string path = Path.Combine(_work, blobs[_random.Next(blobs.Count)].FileName + kinds[_random.Next(kinds.Length)]);
        Directory.CreateDirectory(_work);
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            File.CreateSymbolicLink(path, _outside);
        }

        return Name("plant", path);
    }

    private static string Name(string what, string file) => $"{what} {Path.GetExtension(file)}";
}
