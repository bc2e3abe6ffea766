using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Web;

namespace PSModel.TestParts;

/// <summary>A token service whose tokens a real docker-registry checks: signed by a key whose certificate it is given. Thread-safe.</summary>
public sealed class TokenEndpoint : IDisposable
{
    private const string Service = "registry.test";
    private const string Issuer = "tests";

    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly HttpListener _listener = new();
    private readonly Task _serving;

    /// <summary>Starts it.</summary>
    /// <param name="user">Who gets a token; <see langword="null"/> for anybody.</param>
    /// <param name="secret">The user's password, or an identity token.</param>
    public TokenEndpoint(string? user, string? secret)
    {
        CertificateRequest request = new("CN=tests", _key, HashAlgorithmName.SHA256);
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Path.Combine(_folder.Path, "root.pem"), _certificate.ExportCertificatePem());
        Address = new Uri($"http://127.0.0.1:{FreePort.Find()}/");
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _serving = Task.Run(() => ServeAsync(user, secret));
    }

    /// <summary>Where it is.</summary>
    public Uri Address { get; }

    /// <summary>How long its tokens live, in seconds; it is told.</summary>
    public int Life { get; set; } = 300;

    /// <summary>How many tokens it gave.</summary>
    public int Given => _given;

    /// <summary>The lines of docker-registry's configuration that make it the registry's.</summary>
    public string Configuration =>
        $"auth: {{ token: {{ realm: {Address}token, service: {Service}, issuer: {Issuer}, rootcertbundle: {Path.Combine(_folder.Path, "root.pem")} }} }}";

    private int _given;

    public void Dispose()
    {
        _listener.Close();
        _serving.GetAwaiter().GetResult();
        _certificate.Dispose();
        _key.Dispose();
        _folder.Dispose();
    }

    private async Task ServeAsync(string? user, string? secret)
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                await AnswerAsync(context, user, secret);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, string? user, string? secret)
    {
        using StreamReader reader = new(context.Request.InputStream);
        System.Collections.Specialized.NameValueCollection form = HttpUtility.ParseQueryString(context.Request.HttpMethod == "POST" ? await reader.ReadToEndAsync() : context.Request.Url!.Query);
        bool isIn = user is null
            ? !context.Request.Headers.AllKeys.Contains("Authorization")
            : context.Request.HttpMethod == "POST"
                ? form["grant_type"] == "refresh_token" && form["refresh_token"] == secret
                : AuthenticationHeaderValue.TryParse(context.Request.Headers["Authorization"], out AuthenticationHeaderValue? shown)
                    && Encoding.UTF8.GetString(Convert.FromBase64String(shown.Parameter!)) == $"{user}:{secret}";
        context.Response.StatusCode = isIn && form["service"] == Service ? 200 : 401;
        byte[] body = isIn ? JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { [context.Request.HttpMethod == "POST" ? "access_token" : "token"] = Sign(form.GetValues("scope") ?? []), ["expires_in"] = Life }) : "{}"u8.ToArray();
        context.Response.ContentType = "application/json";
        await context.Response.OutputStream.WriteAsync(body);
        context.Response.Close();
        _given += isIn ? 1 : 0;
    }

    private string Sign(string[] scopes)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        object[] access = [.. scopes.SelectMany(scope => scope.Split(' ')).Select(scope => scope.Split(':')).Where(parts => parts.Length == 3).Select(parts => new { type = parts[0], name = parts[1], actions = parts[2].Split(',') })];
        string head = Encode(JsonSerializer.SerializeToUtf8Bytes(new { typ = "JWT", alg = "ES256", x5c = new[] { Convert.ToBase64String(_certificate.RawData) } }));
        string claims = Encode(JsonSerializer.SerializeToUtf8Bytes(new { iss = Issuer, sub = "me", aud = Service, exp = now + Life, nbf = now - 10, iat = now, jti = Guid.NewGuid().ToString("N"), access }));
        return $"{head}.{claims}.{Encode(_key.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
