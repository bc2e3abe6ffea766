using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Text;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Makes a fault of an answer whose status is not the one hoped for.</summary>
internal static class StatusFault
{
    private const int LongestReason = 80;

    /// <summary>More of an error page than is shown of it: what is a secret in it may only be known by what comes later.</summary>
    private const int LongestExcerpt = 4096;

    /// <summary>The longest wait for that much.</summary>
    private static readonly TimeSpan ExcerptPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>Makes the fault of an answer.</summary>
    /// <param name="response">The answer; it is read.</param>
    /// <param name="asked">The address of the registry that was asked.</param>
    /// <param name="isLasting">Whether another address than the registry's answers for it: a manifest is redirected for good, and a
    /// blob to an address that expires.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static ModelFaultException From(HttpResponseMessage response, Uri asked, bool isLasting, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        Uri answered = response.RequestMessage!.RequestUri!;
        FaultFacts facts = new() { Uri = OutsideText.Of(answered), StatusCode = status };
        string body = Read(response, cancellationToken);
        string excerpt = Excerpt(body, response);
        string said = excerpt.Length == 0 ? string.Empty : excerpt == ErrorWords.WebPage ? " It sends a web page: a proxy or a sign-in page may stand in between." : $" It says: {excerpt}";
        if (response.StatusCode == HttpStatusCode.Unauthorized && (isLasting || answered.Authority == asked.Authority))
        {
            string what = !response.RequestMessage.Headers.Contains("Authorization") ? "wants credentials" : "does not let whom it was shown read this";
            return new ModelFaultException(ModelFault.AuthenticationFailed, $"The registry {answered.Authority} {what} (401).{said}", facts);
        }

        if (status == 400 && WantsCertificate(body))
        {
            facts.Remedy = "Give a client certificate of a CA that the registry knows, with its private key, by -Certificate.";
            return new ModelFaultException(ModelFault.AuthenticationFailed, $"The registry {answered.Authority} wants a client certificate, or another one than it was shown (400).", facts);
        }

        if (status == 400 && answered.Scheme == "http" && IsOfHttps(body))
        {
            facts.Remedy = "Name it with https://.";
        }

        return new ModelFaultException(
            ModelFault.UnexpectedStatus,
            $"{facts.Uri} answered {$"{status} {OutsideText.Of(ShownSecrets.Hide(response.ReasonPhrase ?? string.Empty, response.RequestMessage), LongestReason)}".TrimEnd()}.{said}",
            facts)
        {
            IsTransient = IsTransient(status) || (answered != asked && !isLasting),
            RetryAfter = RetryAfterOf(response),
        };
    }

    /// <summary>Whether the same request may well succeed a moment later.</summary>
    public static bool IsTransient(int status) => status is 408 or 425 or 429 or >= 500;

    /// <summary>How long an answer asks to be left alone. No wait at all is left to the backoff, and a wait for days to the user.</summary>
    public static TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        TimeSpan? wait = RateLimitOf(response) ?? response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => null,
        };
        return wait <= TimeSpan.Zero ? null : wait > LongestWait ? LongestWait : wait;
    }

    /// <summary>What Hugging Face says in its place: <c>RateLimit: "resolvers";r=0;t=55</c>, the seconds until there is room again.</summary>
    private static TimeSpan? RateLimitOf(HttpResponseMessage response)
    {
        string[] parts = response.StatusCode == (HttpStatusCode)429 && response.Headers.RetryAfter is null && response.Headers.TryGetValues("RateLimit", out IEnumerable<string>? values)
            ? string.Join(";", values).Split(';')
            : [];
        string? time = parts.Select(part => part.Trim()).FirstOrDefault(part => part.StartsWith("t=", StringComparison.Ordinal));
        return int.TryParse(time?.Substring(2), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) ? TimeSpan.FromSeconds(seconds) : null;
    }

    /// <summary>nginx has no other way to tell it, and many registries stand behind one.</summary>
    private static bool WantsCertificate(string body) => body.Contains("No required SSL certificate was sent") || body.Contains("The SSL certificate error");

    /// <summary>As nginx says it, and as Go's servers do.</summary>
    private static bool IsOfHttps(string body) => body.Contains("plain HTTP request was sent to HTTPS port") || body.Contains("HTTP request to an HTTPS server");

    private static string Read(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[LongestExcerpt];
        int length = 0;
        try
        {
            using BodyStream body = BodyStream.Open(response, ExcerptPatience, cancellationToken);
            Stopwatch sinceHead = Stopwatch.StartNew();
            for (int read = -1; read != 0 && length < buffer.Length && sinceHead.Elapsed < ExcerptPatience; length += read)
            {
                read = body.Read(buffer, length, buffer.Length - length);
            }
        }
        catch (ModelFaultException)
        {
            // What arrived has to do: an error page that is cut short is no second error.
        }

        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static string Excerpt(string body, HttpResponseMessage response)
    {
        string text = ShownSecrets.Hide(ErrorWords.Of(body), response.RequestMessage!);
        return OutsideText.Of(string.Join(" ", text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }
}
