using System.IO.Hashing;
using Datacake.Crdt;

namespace Datacake.Data.Querying.Watching;

/// <summary>A hash of the visible content of a document, which stays equal as long as readers see no change.</summary>
static class ShownContent
{
    public static ulong HashOf(Document document)
    {
        var hash = new XxHash3();
        Span<byte> stamp = stackalloc byte[HlcTimestamp.Size];
        document.Born.Write(stamp);
        hash.Append(stamp);
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born))
                continue;
            cell.Stamp.Write(stamp);
            hash.Append(stamp);
            hash.Append(cell.EncodedPath);
        }
        return hash.GetCurrentHashAsUInt64();
    }
}
