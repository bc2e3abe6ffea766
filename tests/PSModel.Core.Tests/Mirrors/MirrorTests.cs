using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Mirrors;

/// <summary>Several registries for one call: the first that has a blob gives it, and another goes on where one fails.</summary>
public sealed class MirrorTests : EngineTests
{
    private readonly BlobContent _content = BlobContent.Generate(8 * MB, 1);
    private readonly LoopbackRegistry _mirror = LoopbackRegistry.Start();

    public MirrorTests()
    {
        RegistryOptions.Registries = [_mirror.Address, Registry.Address];
        RegistryOptions.MaximumRetryCount = 2;
        _mirror.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", _content));
    }

    private int AskedOfMirror => _mirror.Requests.Count(request => request.IsBlob);

    [Fact]
    public async Task The_first_that_has_it_gives_all_of_it()
    {
        await SaveAsync(_content);
        Assert.Equal(0, Registry.BlobBytesSent);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task One_that_refuses_a_blob_gives_way_to_the_next(int status)
    {
        Misbehave(answer => answer.Become(status, "no"));
        await SaveAsync(_content);
        Assert.True(Registry.BlobBytesSent >= _content.Length);
    }

    [Fact]
    public async Task One_that_has_no_blob_is_asked_for_it_by_each_connection_once_at_most()
    {
        Options.Connections = 4;
        Misbehave(answer => answer.Become(404, "no"));
        await SaveAsync(_content);
        Assert.InRange(AskedOfMirror, 1, 4);
    }

    [Fact]
    public async Task One_that_cannot_be_reached_is_not_tried_by_each_of_many_blobs()
    {
        int connections = 0;
        _mirror.Refuses = connection =>
        {
            connections = connection;
            return true;
        };
        Options.Connections = 2;
        await Watcher.SaveAsync(this, LoopbackModel.GenerateMany("library/many", "latest", 50, 1000));
        Assert.InRange(connections, 1, 10);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_breaks_off_gives_way_in_mid_blob_and_nothing_is_fetched_twice(bool isStall)
    {
        Options.Connections = 1;
        RegistryOptions.OperationTimeout = TimeSpan.FromSeconds(1);
        long before = 2 * MB;
        Misbehave(answer =>
        {
            // What comes afterwards is not worth another try.
            answer.CutAfter = isStall ? null : before;
            answer.StallAfter = isStall ? before : null;
            before = 1000;
        });
        SavedBlob saved = await SaveAsync(_content);
        Assert.Equal(_content.Length, saved.Meter.BytesReceived);
        Assert.InRange(_mirror.BlobBytesSent, 2 * MB, 3 * MB);
        Assert.InRange(Registry.BlobBytesSent, 5 * MB, 6 * MB);
    }

    [Fact]
    public async Task One_that_cuts_after_a_good_while_is_asked_again()
    {
        Options.Connections = 1;
        Misbehave(answer => answer.CutAfter = 3 * MB);
        await SaveAsync(_content);
        Assert.Equal(0, Registry.BlobBytesSent);
    }

    [Fact]
    public async Task What_one_began_another_goes_on_with_in_a_later_call()
    {
        RegistryOptions.Registries = [Registry.Address];
        await StopAtAsync(_content, 3 * MB);
        RegistryOptions.Registries = [_mirror.Address];
        SavedBlob saved = await SaveAsync(_content);
        Assert.True(saved.Meter.BytesResumed > 0);
        Assert.Equal(_content.Length - saved.Meter.BytesResumed, _mirror.BlobBytesSent);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    public void A_manifest_is_that_of_the_first_that_has_it(int status)
    {
        string name = Registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", _content));
        _mirror.Fault = (_, answer) => answer.Become(status, "no");
        using RegistryClient client = new(RegistryOptions);
        Manifest manifest = client.GetManifest(ModelName.Parse(name), CancellationToken.None);
        Assert.StartsWith(Registry.Address.AbsoluteUri, manifest.Source, StringComparison.Ordinal);
        Assert.Single(_mirror.Requests);
    }

    [Fact]
    public void Where_none_has_it_the_one_that_may_have_it_yet_is_told_of()
    {
        _mirror.Fault = (_, answer) => answer.Become(404, "no");
        Registry.Fault = (_, answer) => answer.Become(503, "later");
        using RegistryClient client = new(RegistryOptions);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse("demo"), CancellationToken.None));
        Assert.Equal((ModelFault.UnexpectedStatus, 503), (fault.Fault, fault.Facts.StatusCode));
        Assert.Equal(3, Registry.Requests.Count);

        Registry.Fault = _mirror.Fault;
        fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse("demo"), CancellationToken.None));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
    }

    [Fact]
    public void Tags_are_those_of_the_first_that_lists_them()
    {
        _mirror.Fault = (_, answer) => answer.Become(404, "no");
        Registry.Fault = (_, answer) => answer.Become(200, """{ "name": "library/demo", "tags": ["1b", "2b"] }""", "application/json");
        using RegistryClient client = new(RegistryOptions);
        Assert.Equal(["1b", "2b"], client.GetTags(ModelName.Parse("demo"), CancellationToken.None).Select(name => name.Tag));
    }

    private void Misbehave(Action<LoopbackAnswer> fault) => _mirror.Fault = (request, answer) =>
    {
        if (request.IsBlob)
        {
            fault(answer);
        }
    };
}
