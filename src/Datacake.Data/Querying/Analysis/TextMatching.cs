namespace Datacake.Data;

/// <summary>Conditions on text that C# has no method for.</summary>
public static class TextMatching
{
    /// <summary>
    /// Returns true if a whole text matches a pattern. In the pattern, <c>%</c> stands for any number of characters, also for none, and
    /// <c>_</c> for any single character. A backslash makes these characters, and the backslash, stand for themselves:
    /// <c>Where(p => p.Name.Like("10\\% %"))</c>. The comparison is ordinal and case-sensitive. Null matches no pattern. In a query, an
    /// index is searched by the text before the first wildcard.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="pattern">The pattern.</param>
    /// <exception cref="ArgumentException">The pattern ends with a backslash that escapes nothing.</exception>
    public static bool Like(this string? text, string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (!IsPattern(pattern))
            throw new ArgumentException($"The pattern '{pattern}' ends with a backslash that escapes nothing. Write two backslashes to match one.", nameof(pattern));
        return text is not null && Matches(text, pattern);
    }

    /// <summary>True if each backslash escapes a character.</summary>
    internal static bool IsPattern(string pattern) => (pattern.Length - pattern.AsSpan().TrimEnd('\\').Length) % 2 == 0;

    /// <summary>Returns the prefix of all texts that match a pattern, and the rest of the pattern.</summary>
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

    // After a mismatch, the text after the last % is retried one character later. Earlier % need not be retried.
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
