using System.Collections;
using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What comes out keeps all that it says in other sessions, and in text.</summary>
public sealed class RemotingTests : IAsyncLifetime, IDisposable
{
    /// <summary>Objects of every kind, and diagnoses of right blobs and of a damaged one.</summary>
    private const string OneOfEach = """
        Get-ModelManifest $name
        Save-ModelBlob $name $store -VerifyInline -IncludeProgress
        Test-ModelBlob $name $store
        Test-ModelBlob $name $store -Diagnose
        $path = (Get-ModelManifest $name).Layers[0].Digest.Replace(':', '-')
        $file = [System.IO.File]::OpenWrite("$store/blobs/$path")
        $file.Position = 4000000
        $file.Write([byte[]] (1, 2, 3, 4), 0, 4)
        $file.Dispose()
        Test-ModelBlob $name $store -Diagnose
        Save-ModelBlob $name $store -Repair -Summary
        Save-ModelBlob "${name}x" $store -Summary -ErrorAction SilentlyContinue
        Get-ModelManifest $list
        Get-ModelManifest $name -Local -StorePath $store -ListTag
        Get-ModelManifest $name -Local -StorePath $store | Export-ModelPin "$store/pins"
        Import-ModelPin "$store/pins"
        Publish-ModelBlob $name $store -Destination "$store/layout" -IncludeProgress
        Remove-ModelBlob $name $store -PassThru
        """;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _name;
    private readonly string _list;

    public RemotingTests()
    {
        _name = _registry.Offer(_model);
        _registry.OfferBlob(OllamaStore.DigestOf(_model.Manifest), BlobContent.Of(_model.Manifest));
        _list = _registry.Offer(LoopbackModel.Generate("library/list", "latest", 5000).WithManifest(OllamaStore.ListOf(("llamacpp", "gguf", _model.Manifest))));
    }

    [Fact]
    public async Task Every_object_survives_remoting_with_every_property()
    {
        // One level is what remoting gives where the type does not ask for more.
        const string Send = "[System.Management.Automation.PSSerializer]::Serialize($_, 1), [System.Management.Automation.PSSerializer]::Serialize($_, 9)";
        string script = $"$name = '{_name}'; $list = '{_list}'; $store = '{_store.Path}'; $ProgressPreference = 'SilentlyContinue'; & {{ {OneOfEach} }} | ForEach-Object {{ {Send} }} | ForEach-Object {{ [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($_)) }}";
        using ChildProcess process = ChildProcess.StartScript(script);
        Assert.True(await process.WaitAsync() == 0, process.Error);
        PSObject[] items =
        [
            .. process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => (PSObject)PSSerializer.Deserialize(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(line)))),
        ];
        Assert.True(items.Length > 20);
        foreach (PSObject[] pair in items.Chunk(2))
        {
            Assert.StartsWith("Deserialized.PSModel.", pair[0].TypeNames[0], StringComparison.Ordinal);
            AssertSame(pair[1], pair[0]);
        }
    }

    [Fact]
    public void What_came_by_remoting_can_be_tested()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        EngineResult result = Run(
            "foreach ($blob in Test-ModelBlob $name $store) { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($blob, 1)) | Test-ModelBlob }");
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), result.Values("Digest"));
    }

    [Fact]
    public void Every_object_is_made_of_plain_values()
    {
        foreach (PSObject item in EveryKindOfOutput())
        {
            AssertPlain(item);
        }
    }

    [Fact]
    public void Where_a_list_is_written_as_text_the_text_says_what_is_in_it()
    {
        foreach (PSObject item in EveryKindOfOutput())
        {
            foreach (PSObject part in item.Properties.SelectMany(property => PartsOf(property.Value)))
            {
                Assert.NotEqual(part.BaseObject.GetType().FullName, part.ToString());

                // A place in a file is told to the byte.
                Assert.DoesNotMatch(part.TypeNames[0] == "PSModel.ModelBlobDamage" ? "^$" : @"\b\d{4,} B", part.ToString());
            }
        }
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private static void AssertSame(PSObject sent, PSObject received)
    {
        Assert.Equal(sent.Properties.Select(property => property.Name), received.Properties.Select(property => property.Name));
        foreach (PSPropertyInfo property in sent.Properties)
        {
            object? value = received.Properties[property.Name].Value;
            PSObject[] parts = [.. Items(property.Value)];
            PSObject[] others = [.. Items(value)];
            Assert.Equal(parts.Length, others.Length);
            if (parts.Length == 0)
            {
                Assert.Equal(property.Value is PSObject { BaseObject: ICollection { Count: 0 } } ? null : property.Value, value is PSObject { BaseObject: ICollection { Count: 0 } } ? null : value);
            }

            for (int i = 0; i < parts.Length; i++)
            {
                AssertSame(parts[i], others[i]);
            }
        }
    }

    /// <summary>What a property of an object that came back holds: objects, or none.</summary>
    private static IEnumerable<PSObject> Items(object? value) => value switch
    {
        PSObject { BaseObject: ICollection list } => list.Cast<object>().Select(PSObject.AsPSObject),
        PSObject { BaseObject: PSCustomObject } item => [item],
        _ => [],
    };

    private static void AssertPlain(PSObject item)
    {
        Assert.NotEmpty(item.Properties);
        foreach (PSPropertyInfo property in item.Properties)
        {
            PSObject[] parts = [.. PartsOf(property.Value)];
            Assert.All(parts, AssertPlain);
            bool isPlain = parts.Length > 0 || property.Value is null or string or bool or int or long or double or DateTime or TimeSpan or Array { Length: 0 };
            Assert.True(isPlain, $"{item.TypeNames[0]}.{property.Name} is a {property.TypeNameOfValue}");
        }
    }

    /// <summary>The module's own objects that a property holds: one, several in an array, or none.</summary>
    private static IEnumerable<PSObject> PartsOf(object? value) => value switch
    {
        Array array => array.Cast<object>().Select(PSObject.AsPSObject),
        not null when value.GetType().Namespace == "PSModel" => [PSObject.AsPSObject(value)],
        _ => [],
    };

    /// <summary>All that the commands say they give; of a diagnosis, a summary and a manifest also one whose lists are not empty.</summary>
    private List<PSObject> EveryKindOfOutput()
    {
        EngineResult result = Run(OneOfEach);
        Assert.Empty(result.Errors);
        Assert.Equal(
            _engine.Texts("(Get-Command -Module PSModel).OutputType.Name").Where(type => type.StartsWith("PSModel.", StringComparison.Ordinal)).Distinct().Order(),
            result.Output.Select(item => item.TypeNames[0]).Distinct().Order());
        Assert.All(
            ["DamagedRanges", "Blobs", "Errors", "Manifests"],
            list => Assert.Contains(result.Output, item => item.Properties[list]?.Value is Array { Length: > 0 }));
        return [.. result.Output];
    }

    private EngineResult Run(string script) => _engine.Run($"param($name, $store, $list) {script}", _name, _store.Path, _list);
}
