using System.Net;

namespace PSModel.Core.Registry;

/// <summary>.NET Framework offers servers what Windows PowerShell was built for: on many hosts no later TLS than 1.0, which
/// registries refuse. Stateless and thread-safe.</summary>
internal static class OldTls
{
    /// <summary>What is to be offered.</summary>
    /// <param name="offered">What is offered now; nothing means what the system thinks best.</param>
    public static SecurityProtocolType With12(SecurityProtocolType offered) =>
        offered == 0 ? offered : offered | SecurityProtocolType.Tls12;
}
