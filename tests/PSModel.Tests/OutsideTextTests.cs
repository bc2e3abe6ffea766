using System.Globalization;
using System.Management.Automation;
using System.Reflection;
using System.Text;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What the commands show of text from outside, wherever it comes out.</summary>
public sealed class OutsideTextTests : IAsyncLifetime, IDisposable
{
    private const string Secret = "s3cret";
    private const string Hostile = "\u001b[31mred\u001b]0;title\u0007\u009b2J\r\nerror: all is well\u202egnp.exe\u200b";

    private const string Save =
        "param($name, $store) Save-ModelBlob $name $store -VerifyInline -RetryIntervalSec 0 -MaximumRetryCount 0 -Verbose -Debug";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 3_000_000);

    [Theory]
    [InlineData("Save-ModelBlob $name $store")]
    [InlineData("Get-ModelManifest $name")]
    [InlineData("Get-ModelManifest $name -Local -StorePath $store")]
    [InlineData("Test-ModelBlob $name $store")]
    public void A_password_in_a_name_is_refused_and_not_repeated(string command)
    {
        string name = $"http://me:{Secret}@{_registry.Address.Authority}/library/demo";
        EngineResult result = _engine.Run($"param($name, $store) {command}", name, _store.Path);
        ErrorRecord error = result.SingleError("InvalidModelName", ErrorCategory.InvalidArgument);
        Assert.Contains("password", error.Exception.Message, StringComparison.Ordinal);
        IsPlain(result);
        Assert.Empty(_registry.Requests);
    }

    [Theory]
    [InlineData("Save-ModelBlob demo $store")]
    [InlineData("Get-ModelManifest demo")]
    public void A_password_in_the_address_of_a_registry_is_refused_and_not_repeated(string command)
    {
        Uri address = new($"http://me:{Secret}@{_registry.Address.Authority}/");
        EngineResult result = _engine.Run($"param($registry, $store) {command} -Registry $registry", address, _store.Path);
        ErrorRecord error = result.SingleError("InvalidModelName", ErrorCategory.InvalidArgument);
        Assert.Contains("-Registry", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        IsPlain(result);
        Assert.Empty(_registry.Requests);
    }

    [Fact]
    public void An_error_page_does_not_reach_the_terminal_as_it_is()
    {
        string name = _registry.Offer(_model);
        _registry.Fault = (_, answer) => answer.Become(400, Hostile + new string('x', 20_000));
        EngineResult result = _engine.Run(Save, name, _store.Path);
        ErrorRecord error = result.SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
        Assert.InRange(error.Exception.Message.Length, 1, 800);
        IsPlain(result);
    }

    [Fact]
    public async Task A_signature_of_a_redirect_is_shown_nowhere()
    {
        await using LoopbackRegistry storage = LoopbackRegistry.Start();
        storage.Offer(_model);
        storage.Fault = (_, answer) => answer.Become(503, "busy");
        string name = _registry.Offer(_model);
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                answer.RedirectTo($"http://me:{Secret}@{storage.Address.Authority}{request.Path}?X-Signature={Secret}");
            }
        };

        EngineResult result = _engine.Run(Save, name, _store.Path);

        Assert.NotEmpty(result.Errors);
        Assert.Contains(result.Debug, line => line.Contains(storage.Address.Authority, StringComparison.Ordinal));
        IsPlain(result);
    }

    [Fact]
    public void A_manifest_with_escape_sequences_gives_no_object_to_format()
    {
        string digest = $"sha256:{new string('a', 64)}";
        string manifest = "{\"schemaVersion\":2,\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.model\\u001b[31m\",\"digest\":\"" + digest + "\",\"size\":1}]}";
        string name = _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(manifest)));
        EngineResult result = _engine.Run("param($name) Get-ModelManifest $name", name);
        result.SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        IsPlain(result);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("Save-ModelBlob $name $bad")]
    [InlineData("Get-ModelManifest -Local -StorePath $bad")]
    [InlineData("Test-ModelBlob demo $bad")]
    [InlineData("Test-ModelBlob -Path $bad")]
    [InlineData("Test-ModelBlob -LiteralPath $bad")]
    public void A_path_with_a_null_character_is_no_path(string command)
    {
        EngineResult result = _engine.Run($"param($name, $bad) {command}", _registry.Offer(_model), $"{_store.Path}/a\0b\u001b");
        result.SingleError("StoreNotWritable", ErrorCategory.PermissionDenied);
        IsPlain(result, isPathTheTarget: true);
    }

    [Fact]
    public void A_path_that_is_none_does_not_keep_the_others_from_being_tested()
    {
        string blob = Path.Combine(_store.Path, $"sha256-{new string('a', 64)}");
        File.WriteAllText(blob, "other");
        EngineResult result = _engine.Run(
            "param($blob) \"a`0b\", 'Variable:x', $blob | ForEach-Object { [pscustomobject] @{ PSPath = $_ } } | Test-ModelBlob", blob);
        Assert.Equal(2, result.Errors.Count);
        Assert.Equal("DigestMismatch", Assert.Single(result.Output).Properties["Status"].Value);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private static void IsPlain(EngineResult result, bool isPathTheTarget = false)
    {
        Assert.All([.. result.Verbose, .. result.Debug, .. result.Warnings], IsPlain);
        Assert.All(result.Progress, record => IsPlain($"{record.Activity} {record.StatusDescription}"));
        foreach (ErrorRecord error in result.Errors)
        {
            IsPlain(error.ToString());
            IsPlain(error.Exception.Message);
            IsPlain(error.Exception.InnerException?.Message ?? string.Empty);
            IsPlain(isPathTheTarget ? string.Empty : $"{error.TargetObject} {error.CategoryInfo}");

            // As Get-Error and Format-List show it.
            Type type = error.Exception.GetType();
            foreach (PropertyInfo property in type.GetProperties().Where(each => each.PropertyType == typeof(string) && each.DeclaringType == type))
            {
                IsPlain(isPathTheTarget && property.Name == "Path" ? string.Empty : $"{property.GetValue(error.Exception)}");
            }
        }

    }

    private static void IsPlain(string text)
    {
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        Assert.All(text, c => Assert.False(char.IsControl(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format, $"U+{(int)c:X4} in {text}"));
    }
}
