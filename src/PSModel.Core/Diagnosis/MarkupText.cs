using System.Text;

namespace PSModel.Core.Diagnosis;

/// <summary>Recognises the pages that servers and proxies send in place of a blob. Stateless and thread-safe.</summary>
internal static class MarkupText
{
    private static readonly byte[][] Beginnings = [.. new[] { "<!doctype", "<html", "<?xml", "<error" }.Select(Encoding.ASCII.GetBytes)];

    /// <summary>How many bytes of HTML or XML there are at a place; 0 where there are none.</summary>
    public static int LengthAt(byte[] bytes, int start, int end)
    {
        foreach (byte[] beginning in Beginnings)
        {
            if (IsAt(bytes, start, end, beginning))
            {
                int at = start;
                while (at < end && IsText(bytes[at]))
                {
                    at++;
                }

                return at - start;
            }
        }

        return 0;
    }

    private static bool IsAt(byte[] bytes, int start, int end, byte[] beginning)
    {
        if (end - start < beginning.Length)
        {
            return false;
        }

        for (int i = 0; i < beginning.Length; i++)
        {
            if (Lower(bytes[start + i]) != beginning[i])
            {
                return false;
            }
        }

        return true;
    }

    private static int Lower(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? letter | 0x20 : letter;

    /// <summary>Bytes from 0x80 on are parts of UTF-8.</summary>
    private static bool IsText(byte letter) => letter is >= 0x20 and not 0x7f or (byte)'\t' or (byte)'\r' or (byte)'\n';
}
