using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>Names a transaction, for a reader who must not see the time before it. Its text can travel in a cookie or a header.</summary>
public readonly record struct SessionToken(HlcTimestamp Stamp)
{
    /// <summary>The text form, which <see cref="TryParse"/> reads.</summary>
    public override string ToString() => Stamp.ToString();

    /// <summary>Reads the text form.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out SessionToken token)
    {
        bool isStamp = HlcTimestamp.TryParse(text, null, out var stamp);
        token = new SessionToken(stamp);
        return isStamp;
    }
}
