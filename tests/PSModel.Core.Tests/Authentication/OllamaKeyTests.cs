using System.Net.Http;
using PSModel.Core.Authentication;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Authentication;

/// <summary>Keys of <c>ssh-keygen</c>'s, and what else may lie in their place.</summary>
public sealed class OllamaKeyTests
{
    private readonly List<string> _told = [];

    /// <summary>The comment is followed by as many bytes as make the whole a multiple of eight.</summary>
    [NeedsTheory("ssh-keygen", "openssl")]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("ab")]
    [InlineData("abc")]
    [InlineData("abcd")]
    [InlineData("abcde")]
    [InlineData("abcdef")]
    [InlineData("me@a machine with a longer name, Zoë's")]
    public async Task OpenSSL_verifies_what_a_key_signs(string comment)
    {
        using SshKey key = await SshKey.MakeAsync(comment);
        OllamaKey read = new OllamaKeyFile(key.Home, _told.Add).TryRead(out KeyProblem? problem)!;
        Assert.Null(problem);
        Assert.Equal(key.PublicText, read.PublicText);
        string header = read.HeaderFor("a text, sïgned");
        Assert.True(key.Verify(header, "a text, sïgned"));
        Assert.False(key.Verify(header, "another text"));
        Assert.Empty(_told);
    }

    [NeedsFact("ssh-keygen", "openssl")]
    public async Task What_is_asked_is_what_Ollamas_service_expects()
    {
        using SshKey key = await SshKey.MakeAsync();
        List<HttpRequestMessage> asked = [];
        List<bool> right = [];
        TokenService tokens = new((message, _) =>
        {
            asked.Add(message);
            right.Add(key.IsAsked(message.RequestUri!, message.Headers.GetValues("Authorization").Single()));
            return new TokenAnswer(200, "{\"token\":\"word\"}"u8.ToArray());
        });
        using HttpResponseMessage response = new();
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", "Bearer realm=\"https://ollama.com/token?z=1&a=b%20c#part\",service=\"ollama.com\",scope=\"repository:me/a:pull repository:me/b:pull\"");
        OllamaKey read = new OllamaKeyFile(key.Home, _told.Add).TryRead(out _)!;
        AuthChallenge challenge = Assert.Single(AuthChallenge.ReadAll(response));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("Bearer word", tokens.AskSigned(new Uri("https://registry.ollama.ai/v2/me/a/manifests/latest"), challenge, read, CancellationToken.None).Header);
        }

        Assert.Equal([true, true], right);
        string[] pairs = asked[0].RequestUri!.AbsoluteUri.Split('?')[1].Split('&');
        Assert.Equal(["a", "nonce", "scope", "scope", "service", "ts", "z"], pairs.Select(pair => pair.Split('=')[0]));
        Assert.Equal(["scope=repository%3Ame%2Fa%3Apull", "scope=repository%3Ame%2Fb%3Apull", "service=ollama.com"], pairs[2..5]);
        Assert.NotEqual(pairs[1], asked[1].RequestUri!.AbsoluteUri.Split('?')[1].Split('&')[1]);
    }

    [NeedsTheory("ssh-keygen")]
    [InlineData("encrypted", "protected by a passphrase")]
    [InlineData("rsa", "of another kind than Ed25519")]
    [InlineData("pkcs8", "no private key in OpenSSH's form")]
    [InlineData("public", "no private key in OpenSSH's form")]
    [InlineData("cut", "no private key in OpenSSH's form")]
    [InlineData("gap", "it is damaged")]
    [InlineData("letters", "it is damaged")]
    [InlineData("empty", "it is empty")]
    [InlineData("large", "too large")]
    [InlineData("none", "there is no key")]
    [InlineData("folder", "there is no key")]
    [InlineData("home", "there is no key")]
    public async Task What_is_no_such_key_is_told_and_nothing_of_its_content(string what, string expected)
    {
        using SshKey key = await SshKey.MakeAsync(passphrase: what == "encrypted" ? "long word" : string.Empty, type: what == "rsa" ? "rsa" : "ed25519");
        string text = File.ReadAllText(key.Path);
        string[] secret = [.. key.PrivateLines];
        string? content = what switch
        {
            "pkcs8" => text.Replace("OPENSSH ", string.Empty, StringComparison.Ordinal),
            "public" => File.ReadAllText($"{key.Path}.pub"),
            "cut" => text[..200],
            "gap" => text.Replace(secret[1], string.Empty, StringComparison.Ordinal),
            "letters" => text.Replace(secret[1], "§", StringComparison.Ordinal),
            "empty" => string.Empty,
            "large" => text + new string('\n', 20_000),
            "none" or "folder" => null,
            _ => text,
        };
        File.Delete(key.Path);
        if (content is not null)
        {
            File.WriteAllText(key.Path, content);
        }

        if (what == "folder")
        {
            Directory.CreateDirectory(key.Path);
        }

        Assert.Null(new OllamaKeyFile(what == "home" ? string.Empty : key.Home, _told.Add).TryRead(out KeyProblem? problem));
        Assert.Contains(expected, problem!.What, StringComparison.Ordinal);
        Assert.Equal(expected.StartsWith("there", StringComparison.Ordinal), problem.IsMissing);
        Assert.Contains(problem.What, Assert.Single(_told), StringComparison.Ordinal);
        Assert.All(secret, line => Assert.DoesNotContain(line, problem.What + problem.Remedy, StringComparison.Ordinal));
    }
}
