using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>
/// A token that identifies a transaction, for a reader that must not see an earlier state. Its text can be sent in a cookie or a header.
/// </summary>
public readonly record struct SessionToken(HlcTimestamp Stamp)
{
    /// <summary>Returns the text form, which <see cref="TryParse"/> parses.</summary>
    public override string ToString() => Stamp.ToString();

    /// <summary>Parses the text form. Returns false if the text is not valid.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionToken token)
    {
        bool isStamp = HlcTimestamp.TryParse(text, null, out var stamp);
        token = new SessionToken(stamp);
        return isStamp;
    }
}
