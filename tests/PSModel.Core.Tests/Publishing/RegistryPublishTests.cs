using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Publishing;
using PSModel.Core.Registry;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>Models go to a real registry, byte for byte.</summary>
public sealed class RegistryPublishTests : PublishTests
{
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "1b", 7 * MB);

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_model_is_published_once_and_can_be_saved_from_there()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = Put(_model, registry.Address);
        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(Digests(_model), Digests(PublishOutcome.Published));
        Assert.All(Published, blob => Assert.Equal(blob.Layer.Size, blob.Meter.BytesSent));
        await RequireSavedAsync(_model, name);

        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(Digests(_model), Digests(PublishOutcome.AlreadyPresent));
        Assert.All(Published, blob => Assert.True(blob.IsSizeChecked && blob.Meter.BytesSent == 0));
        Assert.Contains("has the manifest", Told[^1], StringComparison.Ordinal);
    }

    /// <summary>docker-registry takes part of a chunk, and no more of the blob then; nginx hands it whole ones.</summary>
    [NeedsTheory(DockerRegistry.Program, Nginx.Program, Certificate.Program)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_that_was_stopped_goes_on_in_the_next_call_where_the_registry_has_whole_chunks(bool isBehindNginx)
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        using Nginx nginx = await Nginx.StartBeforeAsync(Folder.Path, registry.Address, await Certificate.MakeAsync(Folder.Path), "client_max_body_size 0;");
        RegistryOptions.SkipCertificateCheck = true;
        LoopbackModel model = LoopbackModel.OfBlobs("library/large", "latest", [BlobContent.Generate(100 * Unit, 3)]);
        string name = Put(model, isBehindNginx ? new Uri($"https://127.0.0.1:{nginx.Port}") : registry.Address);
        Options.LargestChunk = 60 * Unit;
        using CancellationTokenSource stop = new();
        Task first = PublishAsync([name], cancellationToken: stop.Token);
        await Until.HoldsAsync(() => first.IsCompleted || SentOf(model.Blobs[0]) > 61 * Unit);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        await PublishAsync(name);
        Assert.Empty(Faults);
        TransferMeter second = Published.Single(blob => blob.Layer.Digest.ToString() == model.Blobs[0].Digest).Meter;
        Assert.Equal(isBehindNginx ? 60 * Unit : 0, second.BytesResumed);
        Assert.Equal(model.Blobs[0].Length, second.BytesResumed + second.BytesSent);
        await RequireSavedAsync(model, name);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task What_another_model_has_is_taken_from_there_and_what_the_registry_has_is_not_sent()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        BlobContent shared = BlobContent.Generate(5 * MB, 9);
        LoopbackModel first = LoopbackModel.OfBlobs("me/first", "latest", [shared, BlobContent.Generate(3 * MB, 1)]);
        LoopbackModel second = LoopbackModel.OfBlobs("me/second", "latest", [shared, BlobContent.Generate(3 * MB, 2)]);
        string[] names = [Put(first, registry.Address), Put(second, registry.Address)];
        await PublishAsync(names);
        Assert.Empty(Faults);
        Assert.Equal(2, Published.Count(blob => blob.Outcome == PublishOutcome.Mounted));
        Assert.Contains(Published, blob => blob.Outcome == PublishOutcome.Mounted && blob.Layer.Digest.ToString() == shared.Digest && blob.Meter.BytesSent == 0);
        await RequireSavedAsync(second, names[1]);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task It_goes_from_its_own_repository_to_a_longer_one_of_the_registry_without_being_sent()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = await registry.PushAsync(_model);
        Put(_model, registry.Address);
        RegistryOptions.Source = OciReference.Parse($"{registry.Address.GetLeftPart(UriPartial.Authority)}/a/longer/path/demo:v2");
        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(Digests(_model), Digests(PublishOutcome.Mounted));
        Assert.Equal(_model.Manifest, await ServedAsync($"{registry.Address}v2/a/longer/path/demo/manifests/v2"));
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task Tokens_are_asked_for_both_repositories()
    {
        using TokenEndpoint tokens = new("me", "word");
        using DockerRegistry open = await DockerRegistry.StartAsync();
        using DockerRegistry guarded = await open.StartGuardedAsync(tokens.Configuration);
        await open.PushAsync(_model);
        string name = Put(_model, guarded.Address);
        RegistryOptions.Credential = RegistryCredential.OfUser("me", "word");
        RegistryOptions.Source = OciReference.Parse($"{guarded.Address.GetLeftPart(UriPartial.Authority)}/copies/demo:1b");
        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(Digests(_model), Digests(PublishOutcome.Mounted));
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_blob_that_is_damaged_is_not_published_nor_is_its_manifest_and_the_next_model_is()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        LoopbackModel other = LoopbackModel.Generate("library/other", "latest", 3 * MB, seed: 2);
        string[] names = [Put(_model, registry.Address), Put(other, registry.Address)];
        byte[] bytes = await File.ReadAllBytesAsync(BlobFile(_model.Blobs[0]));
        bytes[5 * MB] ^= 1;
        await File.WriteAllBytesAsync(BlobFile(_model.Blobs[0]), bytes);
        await PublishAsync(names);
        ModelFaultException fault = Assert.Single(Faults);
        Assert.Equal((ModelFault.DigestMismatch, BlobFile(_model.Blobs[0]), OllamaStore.DigestOf(bytes)), (fault.Fault, fault.Facts.Path, fault.Facts.ActualDigest));
        Assert.Contains("-Diagnose", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.Contains("-Repair", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.Equal(other.Manifest, await ServedAsync($"{registry.Address}v2/library/other/manifests/latest"));
        using HttpClient http = new();
        foreach (string path in new[] { $"blobs/{_model.Blobs[0].Digest}", $"blobs/{OllamaStore.DigestOf(bytes)}", "manifests/1b" })
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(registry.Address, $"v2/library/demo/{path}"));
            Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task Only_the_blobs_that_are_wanted_go_there_and_no_manifest()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = Put(_model, registry.Address);
        await PublishAsync([name], only: [_model.Blobs[1].Digest, "sha256:ffff"]);
        Assert.Equal(_model.Blobs[1].Digest, Digests(PublishOutcome.Published));
        Assert.Equal(ModelFault.BlobNotFound, Assert.Single(Faults).Fault);
        await Assert.ThrowsAsync<HttpRequestException>(() => ServedAsync($"{registry.Address}v2/library/demo/manifests/1b"));
    }

    [NeedsTheory(DockerRegistry.Program)]
    [InlineData(300)]
    [InlineData(1)]
    public async Task A_token_that_ends_in_mid_upload_is_renewed(int life)
    {
        using TokenEndpoint tokens = new("me", "word") { Life = life };
        using DockerRegistry open = await DockerRegistry.StartAsync();
        using DockerRegistry guarded = await open.StartGuardedAsync(tokens.Configuration);
        RegistryOptions.Credential = RegistryCredential.OfUser("me", "word");
        LoopbackModel large = LoopbackModel.Generate("library/demo", "1b", 60 * MB);
        string name = Put(large, guarded.Address);
        await PublishAsync(name);
        Assert.Empty(Faults);
        await RequireSavedAsync(large, name);
        Assert.True(life > 1 ? tokens.Given <= 4 : tokens.Given > 1, $"{tokens.Given}");
    }

    /// <summary>nginx takes a megabyte in a request unless it is told otherwise, and the registry behind it does not know that its address is an
    /// encrypted one.</summary>
    [NeedsFact(DockerRegistry.Program, Nginx.Program, Certificate.Program)]
    public async Task One_behind_nginx_gets_smaller_chunks_by_the_encrypted_address()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        Certificate authority = await Certificate.MakeAuthorityAsync(Folder.Path);
        using Nginx nginx = await Nginx.StartBeforeAsync(Folder.Path, registry.Address, await authority.IssueAsync("server", "IP:127.0.0.1"));
        RegistryOptions.SkipCertificateCheck = true;
        List<string> traced = [];
        RegistryOptions.Trace = traced.Add;
        Options.BlobsAtATime = 1;
        await PublishAsync(Put(_model, new Uri($"https://127.0.0.1:{nginx.Port}")));
        Assert.Empty(Faults);
        Assert.Contains(traced, line => line.Contains("PATCH", StringComparison.Ordinal) && line.Contains("413", StringComparison.Ordinal));
        Assert.DoesNotContain(traced, line => line.Contains("http://", StringComparison.Ordinal));
        await RequireSavedAsync(_model, $"{registry.Address.GetLeftPart(UriPartial.Authority)}/library/demo:1b");
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task Who_may_not_write_is_told_once_and_nothing_is_sent()
    {
        using DockerRegistry open = await DockerRegistry.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(Folder.Path, "htpasswd"), "me:$2b$05$abcdefghijklmnopqrstuuEpHRRKIlpAGo.iP7Bpa.htQEJMAAnRe\n");
        using DockerRegistry guarded = await open.StartGuardedAsync($"auth: {{ htpasswd: {{ realm: tests, path: {Path.Combine(Folder.Path, "htpasswd")} }} }}");
        Options.BlobsAtATime = 1;
        string name = Put(_model, guarded.Address);
        await PublishAsync(name);
        Assert.Equal(ModelFault.AuthenticationFailed, Assert.Single(Faults).Fault);
        Assert.Contains("-Credential", Faults[0].Facts.Remedy, StringComparison.Ordinal);
        Assert.Contains(Told, line => line.Contains("4 more blobs", StringComparison.Ordinal));
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_blob_that_the_registry_loses_before_the_manifest_comes_is_sent_again()
    {
        using TemporaryFolder storage = new();
        using DockerRegistry registry = await DockerRegistry.StartAsync(storage.Path);
        string name = Put(_model, registry.Address);
        int asked = 0;
        OnManifest = () =>
        {
            asked++;
            string hex = _model.Blobs[0].Digest[7..];
            Directory.Delete(Assert.Single(Directory.GetDirectories(storage.Path, hex, SearchOption.AllDirectories), path => path.Contains("/blobs/sha256/", StringComparison.Ordinal) && !path.Contains("_layers", StringComparison.Ordinal)), recursive: true);
        };
        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(1, asked);
        await RequireSavedAsync(_model, name);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_manifest_that_Ollama_added_to_is_published_as_it_was_served_or_not_at_all()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = Put(_model, registry.Address);
        OllamaStore store = new(StorePath);
        string served = store.PutBlob(_model.Manifest);
        store.PutManifest(OllamaStore.Anchored(_model.Manifest, _model.Manifest), registry.Address.Authority, "library", "demo", "1b");
        await PublishAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(_model.Manifest, await ServedAsync($"{registry.Address}v2/library/demo/manifests/1b"));

        File.Delete(served);
        await PublishAsync(name);
        Assert.Equal(ModelFault.ManifestInvalid, Assert.Single(Faults).Fault);
        Assert.Empty(Published);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task What_the_store_lacks_or_has_in_another_size_is_told_of_by_its_file()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = Put(_model, registry.Address);
        File.Delete(BlobFile(_model.Blobs[1]));
        await File.AppendAllTextAsync(BlobFile(_model.Blobs[2]), "x");
        File.Delete(BlobFile(_model.Blobs[3]));
        Directory.CreateDirectory(BlobFile(_model.Blobs[3]));
        await PublishAsync(name);
        Assert.Equal([ModelFault.BlobNotFound, ModelFault.SizeMismatch, ModelFault.BlobUnreadable], Faults.Select(fault => fault.Fault).Order());
        Assert.All(Faults, fault => Assert.Contains("Save-ModelBlob", fault.Facts.Remedy, StringComparison.Ordinal));
        await Assert.ThrowsAsync<HttpRequestException>(() => ServedAsync($"{registry.Address}v2/library/demo/manifests/1b"));
    }
}
