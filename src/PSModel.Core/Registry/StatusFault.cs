using System.Net;
using System.Net.Http;
using System.Text;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Makes a fault of an answer whose status is not the one hoped for.</summary>
internal static class StatusFault
{
    /// <summary>Enough of an error page to recognise who wrote it.</summary>
    private const int ExcerptLength = 200;

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    public static ModelFaultException From(HttpResponseMessage response, Uri asked, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        Uri answered = response.RequestMessage!.RequestUri!;
        FaultFacts facts = new() { Uri = HttpTransport.Display(answered), StatusCode = status };
        if (response.StatusCode == HttpStatusCode.Unauthorized && answered.Authority == asked.Authority)
        {
            return new ModelFaultException(ModelFault.AuthenticationFailed, $"The registry {asked.Authority} wants credentials (401).", facts);
        }

        string excerpt = Excerpt(response, cancellationToken);
        string said = excerpt.Length == 0 ? string.Empty : $" It says: {excerpt}";
        return new ModelFaultException(
            ModelFault.UnexpectedStatus,
            $"{facts.Uri} answered {status} {response.ReasonPhrase}.{said}",
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
        try
        {
            using BodyStream body = BodyStream.Open(response, TimeSpan.FromSeconds(2), cancellationToken);
            byte[] buffer = new byte[ExcerptLength];
            int length = body.Read(buffer, 0, buffer.Length);
            string text = Encoding.UTF8.GetString(buffer, 0, length);
            return string.Join(" ", text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        }
        catch (ModelFaultException)
        {
            // The status alone has to do: an error page that does not arrive is no second error.
            return string.Empty;
        }
    }
}
