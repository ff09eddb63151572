using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Indexes;

/// <summary>
/// The index by which a replica finds the documents that have expired. Each keyspace that has ever had a document with an expiry has it, with no declaration.
/// </summary>
static class ExpiryIndex
{
    public const string Name = "datacake.expires";

    /// <summary>Gets the declaration of the index.</summary>
    public static DocumentIndex Definition { get; } = new(Name, "1", Extract);

    /// <summary>Returns the range of index values of the documents that have expired at an instant.</summary>
    public static KeyRange UpTo(HlcTimestamp now)
    {
        var end = new OrderedKeyWriter();
        end.Write(now.Packed + 1);
        return KeyRange.All with { End = end.Written.ToArray() };
    }

    static void Extract(Document document, IndexValues values)
    {
        if (document.Expires.IsNone)
            return;
        values.Writer.Write(document.Expires.Packed);
        values.Add();
    }
}
