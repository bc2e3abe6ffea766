using System.Diagnostics;
using System.Net;
using System.Net.Http;
using System.Text;
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

    public static ModelFaultException From(HttpResponseMessage response, Uri asked, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        Uri answered = response.RequestMessage!.RequestUri!;
        FaultFacts facts = new() { Uri = OutsideText.Of(answered), StatusCode = status };
        if (response.StatusCode == HttpStatusCode.Unauthorized && answered.Authority == asked.Authority)
        {
            return new ModelFaultException(ModelFault.AuthenticationFailed, $"The registry {asked.Authority} wants credentials (401).", facts);
        }

        string excerpt = Excerpt(response, cancellationToken);
        string said = excerpt.Length == 0 ? string.Empty : $" It says: {excerpt}";
        return new ModelFaultException(
            ModelFault.UnexpectedStatus,
            $"{facts.Uri} answered {$"{status} {OutsideText.Of(response.ReasonPhrase, LongestReason)}".TrimEnd()}.{said}",
            facts)
        {
            IsTransient = IsTransient(status) || answered != asked,
            RetryAfter = RetryAfterOf(response),
        };
    }

    private static bool IsTransient(int status) => status is 408 or 425 or 429 or >= 500;

    /// <summary>No wait at all is left to the backoff, and a wait for days to the user.</summary>
    private static TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        TimeSpan? wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => null,
        };
        return wait <= TimeSpan.Zero ? null : wait > LongestWait ? LongestWait : wait;
    }

    private static string Excerpt(HttpResponseMessage response, CancellationToken cancellationToken)
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

        string text = Encoding.UTF8.GetString(buffer, 0, length);
        return OutsideText.Of(string.Join(" ", text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }
}
