using PSModel.Core.Faults;

namespace PSModel.Commands;

/// <summary>Whether blobs are verified inline: the switch decides, else Ollama's own environment variable.</summary>
internal static class VerifyInlineChoice
{
    /// <summary>The variable of Ollama's proposed inline mode.</summary>
    private const string Variable = "OLLAMA_VERIFY_INLINE_HASH";

    public static bool Resolve(bool isSwitchGiven, bool value, Action<string> warn)
    {
        if (isSwitchGiven)
        {
            return value;
        }

        string text = Environment.GetEnvironmentVariable(Variable)?.Trim().ToUpperInvariant() ?? string.Empty;
        switch (text)
        {
            case "1" or "TRUE" or "YES" or "ON":
                return true;
            case "" or "0" or "FALSE" or "NO" or "OFF":
                return false;
            default:
                warn($"{Variable} is '{OutsideText.Of(text)}', which is neither yes nor no; it is taken as no.");
                return false;
        }
    }
}
