using CsCheck;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Tests;

/// <summary>What holds for every name, tried with made-up ones.</summary>
public sealed class ModelNameProperties
{
    private const string Word = "ABCXYZabcxyz0189_";

    private static readonly Gen<string> Separator = OneOf("/", ":", "://", "", "@", "..", "/../", "\\");

    /// <summary>Anything that looks a little like a name: most are none.</summary>
    private static readonly Gen<string> AlmostName =
        Gen.Select(Gen.String[Gen.Char[Word + "-."], 0, 12], Separator).Array[1, 6]
            .Select(parts => string.Concat(parts.Select(part => part.Item1 + part.Item2)));

    private static readonly Gen<string> Name =
        from scheme in OneOf("", "http://", "https://")
        from host in Part("-.:", 1, 40)
        from @namespace in Part("-", 1, 80)
        from model in Part("-.", 1, 80)
        from tag in Part("-.", 1, 80)
        from form in Gen.Int[0, 3]
        select form switch
        {
            0 => $"{scheme}{host}/{@namespace}/{model}:{tag}",
            1 => $"{@namespace}/{model}:{tag}",
            2 => $"{model}:{tag}",
            _ => model,
        };

    [Fact]
    public void Whatever_is_valid_prints_back_to_itself() =>
        Gen.OneOf(Name, AlmostName).Sample(text => !ModelName.TryParse(text, out ModelName? name, out _) || ModelName.Parse(name.ToString()) == name, iter: 20_000);

    [Fact]
    public void Every_name_of_the_grammar_is_valid() =>
        Name.Sample(text => ModelName.TryParse(text, out _, out _), iter: 5_000);

    [Fact]
    public void Whatever_is_valid_is_one_path_of_four_levels_inside_the_store()
    {
        ModelStore store = new(Path.GetFullPath("/store"));
        Gen.OneOf(Name, AlmostName).Sample(
            text =>
            {
                if (!ModelName.TryParse(text, out ModelName? name, out _))
                {
                    return true;
                }

                string path;
                try
                {
                    path = store.Manifests.PathOf(name);
                }
                catch (ModelFaultException e) when (e.Fault == ModelFault.InvalidModelName && OperatingSystem.IsWindows())
                {
                    // There is none there.
                    return true;
                }

                // A host with a port lies in manifests-v2 where the file system holds no colon.
                string relative = Path.GetRelativePath(store.Root, Path.GetFullPath(path));
                return Path.GetFullPath(path) == path && relative.Split(Path.DirectorySeparatorChar).Length == 5 && relative.StartsWith("manifests", StringComparison.Ordinal);
            },
            iter: 20_000);
    }

    private static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    private static Gen<string> Part(string more, int shortest, int longest) =>
        Gen.Select(Gen.Char[Word], Gen.String[Gen.Char[Word + more], shortest - 1, longest - 1], (first, rest) => first + rest);
}
