using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Tests;

public sealed class BlobDigestTests
{
    private const string Hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [Fact]
    public void Reads_and_prints_both_forms()
    {
        BlobDigest digest = BlobDigest.Parse($"sha256:{Hex}");
        Assert.Equal($"sha256:{Hex}", digest.ToString());
        Assert.Equal($"sha256-{Hex}", digest.FileName);
        Assert.True(BlobDigest.TryParseFileName(digest.FileName, out BlobDigest? same));
        Assert.Equal(digest, same);
        Assert.Equal(digest, BlobDigest.FromHash(Convert.FromHexString(Hex)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(Hex)]
    [InlineData("sha256-" + Hex)]
    [InlineData("sha512:" + Hex)]
    [InlineData("sha256:" + Hex + "0")]
    [InlineData("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../etc/pas")]
    public void Refuses_anything_else(string? text)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => BlobDigest.Parse(text));
        Assert.Equal(ModelFault.InvalidDigest, fault.Fault);
    }
}
