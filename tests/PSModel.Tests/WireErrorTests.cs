using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What the registry, or the way to it, gives is at fault.</summary>
public sealed class WireErrorTests : SaveErrorTests
{
    [Fact]
    public void BlobNotFound_when_the_registry_lost_it()
    {
        Registry.Fault = Blob(answer => answer.Become(404, "{}"));
        EngineResult result = Run();
        Assert.Equal(Model.Blobs[0].Digest, result.SingleError("BlobNotFound", ErrorCategory.ObjectNotFound).TargetObject);
    }

    [Fact]
    public void DigestMismatch_when_a_bit_is_flipped_on_the_way()
    {
        Registry.Fault = Blob(answer => answer.FlipAt = 1_234_567);
        ErrorRecord error = Run().SingleError("DigestMismatch", ErrorCategory.InvalidData);
        Assert.Equal(Model.Blobs[0].Digest, Property(error, "Digest"));
        Assert.StartsWith("sha256:", (string?)Property(error, "ActualDigest"), StringComparison.Ordinal);
        Assert.NotEqual(Model.Blobs[0].Digest, Property(error, "ActualDigest"));
    }

    [Fact]
    public void DigestMismatch_when_the_registry_has_other_bytes()
    {
        string name = Registry.Offer(Model);
        Registry.OfferBlob(Model.Blobs[0].Digest, BlobContent.Generate(Model.Blobs[0].Length, 2));
        Engine.Run(Save, name, Store.Path).SingleError("DigestMismatch", ErrorCategory.InvalidData);
    }

    [Fact]
    public void SizeMismatch_when_the_registry_offers_fewer_bytes()
    {
        string name = Registry.Offer(Model);
        Registry.OfferBlob(Model.Blobs[0].Digest, BlobContent.Generate(1000, 2));
        ErrorRecord error = Engine.Run(Save, name, Store.Path).SingleError("SizeMismatch", ErrorCategory.InvalidData);
        Assert.Equal(Model.Blobs[0].Length, Property(error, "ExpectedSize"));
        Assert.Equal(1000L, Property(error, "ActualSize"));
    }

    [Fact]
    public void SizeMismatch_when_a_body_of_unknown_length_is_too_long()
    {
        string name = Registry.Offer(Model);
        Registry.OfferBlob(Model.Blobs[0].Digest, BlobContent.Generate(Model.Blobs[0].Length + 1, 2));
        Registry.Fault = Blob(answer => answer.IsLengthTold = false);
        Engine.Run(Save, name, Store.Path).SingleError("SizeMismatch", ErrorCategory.InvalidData);
    }

    [Fact]
    public void SizeMismatch_when_a_body_of_unknown_length_is_always_too_short()
    {
        Registry.Fault = Blob(answer =>
        {
            answer.SendWhole();
            answer.IsLengthTold = false;
            answer.Length = 1_000_000;
        });
        Run().SingleError("SizeMismatch", ErrorCategory.InvalidData);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    public void UnexpectedStatus(int status)
    {
        Registry.Fault = Blob(answer => answer.Become(status, "<html>a proxy's page</html>", "text/html"));
        ErrorRecord error = Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
        Assert.Equal(status, Property(error, "StatusCode"));
        Assert.Contains("It sends a web page", error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a proxy's page", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnexpectedStatus_when_a_web_page_comes_with_status_200()
    {
        Registry.Fault = Blob(answer => answer.Become(200, "<html>sign in</html>", "text/html"));
        ErrorRecord error = Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
        Assert.Contains("web page", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnexpectedStatus_when_the_range_is_not_the_one_asked_for()
    {
        int answers = 0;
        Registry.Fault = Blob(answer =>
        {
            if (Interlocked.Increment(ref answers) == 1)
            {
                answer.CutAfter = 1_000_000;
            }
            else
            {
                answer.Headers["Content-Range"] = $"bytes 0-{answer.Length - 1}/3000000";
                answer.Start = 0;
            }
        });
        Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
    }

    [Fact]
    public void UnexpectedStatus_when_redirects_go_round_in_circles()
    {
        Registry.Fault = (request, answer) => answer.RedirectTo(request.Path);
        Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
    }

    [Fact]
    public void RegistryUnreachable_when_nobody_listens()
    {
        string name = $"{FreePort.FindAddress()}library/x";
        Engine.Run(Save, name, Store.Path).SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
    }

    [Fact]
    public void RegistryUnreachable_when_every_connection_is_cut_at_once()
    {
        Registry.Fault = Blob(answer => answer.CutAfter = 0);
        ErrorRecord error = Run().SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Equal(Model.Blobs[0].Digest, error.TargetObject);
    }

    [Fact]
    public void TransferStalled_when_nothing_comes()
    {
        Registry.Fault = Blob(answer => answer.StallAfter = 0);
        EngineResult result = Engine.Run(
            "param($name, $store) Save-ModelBlob $name $store -VerifyInline -OperationTimeoutSeconds 1 -MaximumRetryCount 0", Registry.Offer(Model), Store.Path);
        result.SingleError("TransferStalled", ErrorCategory.OperationTimeout);
    }

    [Fact]
    public void AuthenticationFailed()
    {
        Registry.Fault = (_, answer) => answer.Become(401, "{}");
        Run().SingleError("AuthenticationFailed", ErrorCategory.AuthenticationError);
    }

    [Fact]
    public void UnencryptedRefused() =>
        Engine.Run(Save, "http://registry.example/library/x", Store.Path).SingleError("UnencryptedRefused", ErrorCategory.SecurityError);

    [Fact]
    public void UntrustedRedirect()
    {
        Registry.Fault = Blob(answer => answer.RedirectTo("http://storage.example/blob"));
        Run().SingleError("UntrustedRedirect", ErrorCategory.SecurityError);
    }
}
