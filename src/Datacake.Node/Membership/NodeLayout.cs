using Datacake.Storage;

namespace Datacake.Node.Membership;

/// <summary>
/// The keys of the node itself in its storage. They have a range of their own, which the replicated store, whose keys begin with smaller
/// bytes, never uses.
/// </summary>
static class NodeLayout
{
    const byte Range = 0xF0;

    /// <summary>The range of everything that the node stores for itself.</summary>
    public static readonly KeyRange All = KeyRange.WithPrefix(new[] { Range });

    /// <summary>The key of the record of the other nodes.</summary>
    public static readonly ReadOnlyMemory<byte> MemberRecordKey = new byte[] { Range, (byte)'m' };
}
