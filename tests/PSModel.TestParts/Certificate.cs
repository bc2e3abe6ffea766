namespace PSModel.TestParts;

/// <summary>A certificate and its key, in files, as openssl makes them.</summary>
public sealed record Certificate(string Path, string KeyPath)
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Program = "openssl";

    /// <summary>Has openssl make one for 127.0.0.1, signed by itself.</summary>
    public static Task<Certificate> MakeAsync(string folder) => MakeAsync(folder, "certificate", "127.0.0.1", "IP:127.0.0.1", issuer: null);

    /// <summary>Has openssl make a CA.</summary>
    public static Task<Certificate> MakeAuthorityAsync(string folder) => MakeAsync(folder, "ca", "Tests", names: null, issuer: null);

    /// <summary>Signs a certificate for a server or a client.</summary>
    /// <param name="name">Whose it is.</param>
    /// <param name="names">The addresses that it is for, in openssl's words.</param>
    public Task<Certificate> IssueAsync(string name, string names) => MakeAsync(System.IO.Path.GetDirectoryName(Path)!, name, name, names, issuer: this);

    private static async Task<Certificate> MakeAsync(string folder, string file, string subject, string? names, Certificate? issuer)
    {
        // Debian's own configuration would add extensions of a CA to each.
        string configuration = System.IO.Path.Combine(folder, "openssl.cnf");
        await File.WriteAllTextAsync(configuration, "[req]\ndistinguished_name = dn\n[dn]\n");
        Certificate made = new(System.IO.Path.Combine(folder, $"{file}.pem"), System.IO.Path.Combine(folder, $"{file}.key"));
        string[] extensions = names is null
            ? ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]
            : ["-addext", $"subjectAltName={names}"];
        string[] signing = issuer is null ? [] : ["-CA", issuer.Path, "-CAkey", issuer.KeyPath];
        await ChildProcess.RunAsync(
            NeedsFactAttribute.Find(Program)!,
            ["req", "-config", configuration, "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", $"/CN={subject}", .. extensions, .. signing, "-out", made.Path, "-keyout", made.KeyPath]);
        return made;
    }
}
