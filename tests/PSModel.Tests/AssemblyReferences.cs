using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace PSModel.Tests;

/// <summary>What the assemblies of a folder reference, read from their metadata.</summary>
internal sealed class AssemblyReferences(string folder)
{
    private readonly Dictionary<string, string[]> _references =
        Directory.EnumerateFiles(folder, "*.dll").ToDictionary(file => Path.GetFileNameWithoutExtension(file), Read);

    /// <summary>The names of the assemblies that are there.</summary>
    public IEnumerable<string> Names => _references.Keys;

    /// <summary>The names of those that are referenced and not there.</summary>
    public IEnumerable<string> Missing => _references.Values.SelectMany(names => names).Distinct().Except(_references.Keys);

    /// <summary>The names of those there that can be come to from some of them.</summary>
    public IReadOnlySet<string> Reach(IEnumerable<string> roots)
    {
        HashSet<string> reached = [];
        Queue<string> waiting = new(roots);
        while (waiting.TryDequeue(out string? name))
        {
            if (_references.TryGetValue(name, out string[]? references) && reached.Add(name))
            {
                Array.ForEach(references, waiting.Enqueue);
            }
        }

        return reached;
    }

    private static string[] Read(string file)
    {
        using PEReader assembly = new(File.OpenRead(file));
        MetadataReader metadata = assembly.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
