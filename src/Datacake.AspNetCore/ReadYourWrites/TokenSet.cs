using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;

namespace Datacake.AspNetCore.ReadYourWrites;

/// <summary>
/// The tokens of a client: the latest stamp of each node that has saved for it. A node that has a stamp has all earlier ones of the same node, so there are never more than 255.
/// </summary>
sealed class TokenSet
{
    /// <summary>The maximum length of the text. A browser accepts cookies of 4,096 bytes.</summary>
    public const int MaxTextLength = 255 * HlcTimestamp.Size * 4 / 3;

    readonly SortedDictionary<byte, HlcTimestamp> _stamps = [];

    public IReadOnlyCollection<HlcTimestamp> Stamps => _stamps.Values;

    public bool IsEmpty => _stamps.Count == 0;

    public void Add(HlcTimestamp stamp)
    {
        if (!stamp.IsNone && (!_stamps.TryGetValue(stamp.Node, out var known) || known < stamp))
            _stamps[stamp.Node] = stamp;
    }

    public void Add(TokenSet other)
    {
        foreach (var stamp in other.Stamps)
            Add(stamp);
    }

    public void Remove(HlcTimestamp stamp) => _stamps.Remove(stamp.Node);

    /// <summary>Returns the stamps, of 8 bytes each, in Base64 for URLs.</summary>
    public override string ToString()
    {
        byte[] bytes = new byte[_stamps.Count * HlcTimestamp.Size];
        int at = 0;
        foreach (var stamp in Stamps)
        {
            stamp.Write(bytes.AsSpan(at));
            at += HlcTimestamp.Size;
        }
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Parses the text form. Returns false if the text, which anyone may have written, is not one.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out TokenSet? tokens)
    {
        tokens = null;
        if (text is not { Length: > 0 and <= MaxTextLength } || !Base64Url.IsValid(text, out int length) || length % HlcTimestamp.Size != 0)
            return false;
        var parsed = new TokenSet();
        ReadOnlySpan<byte> bytes = Base64Url.DecodeFromChars(text);
        for (; !bytes.IsEmpty; bytes = bytes[HlcTimestamp.Size..])
            parsed.Add(HlcTimestamp.Read(bytes));
        tokens = parsed;
        return true;
    }
}
