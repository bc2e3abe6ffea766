#if NET
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PSModel.Core.Tests;

/// <summary>A certificate for localhost that nobody trusts.</summary>
internal static class SelfSigned
{
    public static X509Certificate2 Make()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
#endif
