using System.Buffers.Binary;
using System.IO.Hashing;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The hash of what a document shows, without its stamps. A condition compares contents rather than stamps: a new sequencer applies the entries that it
/// inherits again under new stamps, and a transaction that read the same content must not fail for that.
/// </summary>
static class ContentHash
{
    /// <summary>Returns the hash of a document that is alive.</summary>
    public static UInt128 Of(Document document)
    {
        var hash = new XxHash128();
        foreach (var cell in document.Cells)
        {
            if (!cell.IsRemoved && cell.IsShown(document.Born))
                Add(hash, cell);
        }
        return hash.GetCurrentHashAsUInt128();
    }

    /// <summary>Returns the hash of the document that a put of a content results in.</summary>
    public static UInt128 Of(DocumentContent content)
    {
        var hash = new XxHash128();
        foreach (var cell in content)
        {
            if (!cell.IsRemoved)
                Add(hash, cell);
        }
        return hash.GetCurrentHashAsUInt128();
    }

    static void Add(XxHash128 hash, DocumentCell cell)
    {
        Span<byte> lengths = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(lengths, cell.EncodedPath.Length);
        BinaryPrimitives.WriteInt32LittleEndian(lengths[sizeof(int)..], cell.Value.Length);
        hash.Append(lengths);
        hash.Append(cell.EncodedPath);
        hash.Append(cell.Value);
    }
}
