using System.Diagnostics;

namespace PSModel.Benchmarks.Servers;

/// <summary>A certificate for 127.0.0.1, signed by itself, and its key.</summary>
internal sealed record Certificate(string Path, string KeyPath)
{
    /// <summary>Has openssl make one.</summary>
    public static async Task<Certificate> MakeAsync(string folder)
    {
        Certificate made = new(System.IO.Path.Combine(folder, "certificate.pem"), System.IO.Path.Combine(folder, "key.pem"));
        using Process openssl = Process.Start(new ProcessStartInfo(
            "openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", made.Path, "-keyout", made.KeyPath])
        {
            RedirectStandardError = true,
        })!;
        string error = await openssl.StandardError.ReadToEndAsync();
        await openssl.WaitForExitAsync();
        return openssl.ExitCode == 0 ? made : throw new InvalidOperationException($"openssl made no certificate: {error}");
    }
}
