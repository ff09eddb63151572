namespace Datacake.Data;

/// <summary>Conditions on text that C# has no method for.</summary>
public static class TextMatching
{
    /// <summary>
    /// True if a text as a whole is like a pattern, in which <c>%</c> stands for any characters, also for none, and <c>_</c> for any single one; after a backslash,
    /// they and the backslash stand for themselves: <c>Where(p => p.Name.Like("10\\% %"))</c>. Characters are compared as they are, so case matters. Null is like nothing. In a query,
    /// an index finds what starts as the pattern does before its first wildcard.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="pattern">The pattern.</param>
    /// <exception cref="ArgumentException">The pattern ends with a backslash that escapes nothing.</exception>
    public static bool Like(this string? text, string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (!IsPattern(pattern))
            throw new ArgumentException($"The pattern '{pattern}' ends with a backslash, which escapes what follows it. Write two of them for one.", nameof(pattern));
        return text is not null && Matches(text, pattern);
    }

    /// <summary>True if each backslash escapes something.</summary>
    internal static bool IsPattern(string pattern) => (pattern.Length - pattern.AsSpan().TrimEnd('\\').Length) % 2 == 0;

    /// <summary>Returns what all texts that are like a pattern start with, and what follows it in the pattern.</summary>
    internal static (string Prefix, string Remainder) Split(string pattern)
    {
        var prefix = new System.Text.StringBuilder();
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] is '%' or '_')
                return ($"{prefix}", pattern[i..]);
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
                i++;
            prefix.Append(pattern[i]);
        }
        return ($"{prefix}", "");
    }

    // What fails after a % is tried again one character later; what a % before that one stands for need not be tried again.
    static bool Matches(string text, string pattern)
    {
        int at = 0, next = 0, any = -1, anyAt = 0;
        while (at < text.Length)
        {
            bool isEscape = next + 1 < pattern.Length && pattern[next] == '\\';
            char wanted = next == pattern.Length ? '\0' : pattern[isEscape ? next + 1 : next];
            if (next < pattern.Length && !isEscape && wanted == '%')
            {
                any = ++next;
                anyAt = at;
            }
            else if (next < pattern.Length && (wanted == text[at] || (!isEscape && wanted == '_')))
            {
                next += isEscape ? 2 : 1;
                at++;
            }
            else if (any >= 0)
            {
                next = any;
                at = ++anyAt;
            }
            else
                return false;
        }
        return pattern.AsSpan(next).Trim('%').IsEmpty;
    }
}
