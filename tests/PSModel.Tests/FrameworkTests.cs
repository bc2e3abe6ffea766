using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The build for Windows PowerShell 5.1, as far as it can be tried without one.</summary>
public sealed class FrameworkTests
{
    private static readonly string Bin = Path.Combine(Path.GetDirectoryName(Checkout.StagedModule)!, "bin");
    private static readonly string Core = Path.Combine(Bin, "netstandard2.0");

    /// <summary>On Mono, by the very assemblies that are packed, without binding redirects.</summary>
    [NeedsFact("mono", "/usr/lib/mono/4.5/Facades/netstandard.dll")]
    public async Task The_modules_resolver_finds_the_core_and_what_it_needs_and_a_model_is_saved()
    {
        using TemporaryFolder store = new();
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3_000_000);
        int refusals = 2;
        registry.Fault = (request, answer) =>
        {
            // So that Polly has something to do.
            if (request.IsBlob && Interlocked.Decrement(ref refusals) >= 0)
            {
                answer.Become(503, "later");
            }
        };
        using ChildProcess mono = ChildProcess.Start("mono", [Checkout.FrameworkHost, Bin, registry.Offer(model), store.Path]);
        Assert.True(await mono.WaitAsync() == 0, mono.Output + mono.Error);

        string[] lines = mono.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(ModuleCommands.All.Select(name => $"{name.Replace("-", string.Empty, StringComparison.Ordinal)}Command"), lines[0].Split(' '));
        Assert.Equal(model.Blobs.Count, lines.Count(line => line.StartsWith("saved ", StringComparison.Ordinal)));
        string[] loaded = [.. lines.Where(line => line.StartsWith("loaded ", StringComparison.Ordinal)).Select(line => line["loaded ".Length..])];
        Assert.Contains(Path.Combine(Bin, "PSModel.dll"), loaded);
        foreach (string name in new[] { "PSModel.Core", "Polly.Core", "System.Text.Json", "System.IO.Hashing", "System.Memory" })
        {
            Assert.Contains(Path.Combine(Core, $"{name}.dll"), loaded);
        }

        Assert.True(File.Exists(store.Blob(model.Blobs[0].Digest)));
    }

    /// <summary>.NET Standard 2.0 has more than .NET Framework 4.7.2 brings; what it lacks would fail when it is called.</summary>
    [Theory]
    [InlineData("PSModel.dll")]
    [InlineData("netstandard2.0/PSModel.Core.dll")]
    public void It_uses_nothing_that_NET_Framework_lacks(string assembly)
    {
        HashSet<string> known = [];
        string[] references = Directory.GetFiles(Checkout.FrameworkReferences, "*.dll", SearchOption.TopDirectoryOnly);
        Assert.NotEmpty(references);
        Array.ForEach(references, path => Read(path, (reader, _) => known.UnionWith(Defined(reader))));

        List<string> used = [];
        Read(Path.Combine(Bin, assembly), (reader, _) => used.AddRange(Used(reader, "netstandard")));
        Assert.True(used.Count > 100);
        Assert.Equal([], used.Except(known));
    }

    [Fact]
    public void What_it_lacks_would_be_found()
    {
        HashSet<string> known = [];
        Read(Path.Combine(Checkout.FrameworkReferences, "mscorlib.dll"), (reader, _) => known.UnionWith(Defined(reader)));
        Assert.Contains("System.String::Contains/1", known);
        Assert.DoesNotContain("System.String::Contains/2", known);
        Assert.DoesNotContain("System.Index", known);
    }

    private static void Read(string path, Action<MetadataReader, string> use)
    {
        using PEReader file = new(File.OpenRead(path));
        if (file.HasMetadata)
        {
            use(file.GetMetadataReader(), path);
        }
    }

    /// <summary>Types by their names, and their members by name and number of parameters.</summary>
    private static IEnumerable<string> Defined(MetadataReader reader)
    {
        foreach (TypeDefinition type in reader.TypeDefinitions.Select(reader.GetTypeDefinition))
        {
            string name = NameOf(reader, type);
            yield return name;
            foreach (MethodDefinition method in type.GetMethods().Select(reader.GetMethodDefinition))
            {
                yield return $"{name}::{reader.GetString(method.Name)}/{ParametersOf(reader, method.Signature)}";
            }

            foreach (FieldDefinition field in type.GetFields().Select(reader.GetFieldDefinition))
            {
                yield return $"{name}::{reader.GetString(field.Name)}";
            }
        }
    }

    private static IEnumerable<string> Used(MetadataReader reader, string scope)
    {
        foreach (TypeReferenceHandle type in reader.TypeReferences.Where(type => IsOf(reader, type, scope)))
        {
            yield return NameOf(reader, type);
        }

        foreach (MemberReference member in reader.MemberReferences.Select(reader.GetMemberReference))
        {
            if (TypeOf(reader, member.Parent) is not { } type || !IsOf(reader, type, scope))
            {
                continue;
            }

            string text = $"{NameOf(reader, type)}::{reader.GetString(member.Name)}";
            yield return member.GetKind() == MemberReferenceKind.Field ? text : $"{text}/{ParametersOf(reader, member.Signature)}";
        }
    }

    private static TypeReferenceHandle? TypeOf(MetadataReader reader, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeReference)
        {
            return (TypeReferenceHandle)parent;
        }

        if (parent.Kind != HandleKind.TypeSpecification)
        {
            return null;
        }

        // GENERICINST, CLASS or VALUETYPE, then the generic type (ECMA-335, II.23.2.12).
        BlobReader signature = reader.GetBlobReader(reader.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
        return signature.ReadSignatureTypeCode() == SignatureTypeCode.GenericTypeInstance && signature.ReadByte() is 0x11 or 0x12 && signature.ReadTypeHandle() is { Kind: HandleKind.TypeReference } type
            ? (TypeReferenceHandle)type
            : null;
    }

    private static bool IsOf(MetadataReader reader, TypeReferenceHandle handle, string scope) => reader.GetTypeReference(handle).ResolutionScope is var found && found.Kind switch
    {
        HandleKind.AssemblyReference => reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)found).Name) == scope,
        HandleKind.TypeReference => IsOf(reader, (TypeReferenceHandle)found, scope),
        _ => false,
    };

    private static string NameOf(MetadataReader reader, TypeReferenceHandle handle)
    {
        TypeReference type = reader.GetTypeReference(handle);
        string name = reader.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference ? $"{NameOf(reader, (TypeReferenceHandle)type.ResolutionScope)}+{name}"
            : type.Namespace.IsNil ? name
            : $"{reader.GetString(type.Namespace)}.{name}";
    }

    private static string NameOf(MetadataReader reader, TypeDefinition type)
    {
        string name = reader.GetString(type.Name);
        return type.IsNested ? $"{NameOf(reader, reader.GetTypeDefinition(type.GetDeclaringType()))}+{name}"
            : type.Namespace.IsNil ? name
            : $"{reader.GetString(type.Namespace)}.{name}";
    }

    private static int ParametersOf(MetadataReader reader, BlobHandle signature)
    {
        BlobReader blob = reader.GetBlobReader(signature);
        SignatureHeader header = blob.ReadSignatureHeader();
        if (header.IsGeneric)
        {
            blob.ReadCompressedInteger();
        }

        return blob.ReadCompressedInteger();
    }
}
