using PSModel.Core.Authentication;
using PSModel.Core.Faults;

namespace PSModel.Core.Tests.Authentication;

public sealed class RegistryCredentialTests
{
    [Theory]
    [InlineData("s3cret-word\n", true)]
    [InlineData(" s3cret-word\r\n", true)]
    [InlineData("s3cret\r\nEvil: 1", false)]
    [InlineData("s3cret wörd", false)]
    [InlineData(" ", false)]
    public void A_token_is_one_word(string text, bool isTaken)
    {
        if (isTaken)
        {
            Assert.Equal("s3cret-word", RegistryCredential.OfToken(text).Secret);
        }
        else
        {
            ModelFaultException fault = Assert.Throws<ModelFaultException>(() => RegistryCredential.OfToken(text));
            Assert.Equal(ModelFault.AuthenticationFailed, fault.Fault);
            Assert.DoesNotContain("s3cret", fault.Message, StringComparison.Ordinal);
        }
    }
}
