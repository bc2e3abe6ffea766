using System.Net;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests;

public sealed class OldTlsTests
{
#pragma warning disable CA5364, CS0618, SYSLIB0039 // What old hosts offer is what the test is about.
    [Fact]
    public void Old_hosts_offer_1_2_as_well() =>
        Assert.Equal(SecurityProtocolType.Tls | SecurityProtocolType.Tls12, OldTls.With12(SecurityProtocolType.Tls));
#pragma warning restore CA5364, CS0618, SYSLIB0039

    [Fact]
    public void What_the_system_thinks_best_stays() => Assert.Equal((SecurityProtocolType)0, OldTls.With12(0));
}
