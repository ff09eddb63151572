using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A lane of a caller: a sequence of transactions of which one is under way at a time.</summary>
/// <param name="Store">The store id of the caller.</param>
/// <param name="Run">The run of the caller's store.</param>
/// <param name="Lane">The number of the lane among those of the run.</param>
readonly record struct CallerLane(ulong Store, HlcTimestamp Run, uint Lane)
{
    /// <summary>The reserved keyspace of the records of what is done.</summary>
    public const string Keyspace = SerialPosition.Keyspace;

    /// <summary>Returns the lane of a key, or null if it is the key of something else.</summary>
    public static CallerLane? TryRead(DocumentKey key)
    {
        try
        {
            var reader = new OrderedKeyReader(key.Encoded.Span);
            var lane = new CallerLane(reader.ReadUInt64(), new HlcTimestamp(reader.ReadUInt64()), (uint)reader.ReadUInt64());
            return reader.IsAtEnd ? lane : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Returns the key of the document that records the greatest number done.</summary>
    public DocumentKey ToKey()
    {
        var writer = new OrderedKeyWriter(32);
        writer.Write(Store);
        writer.Write(Run.Packed);
        writer.Write((ulong)Lane);
        return new DocumentKey(writer.ToArray());
    }
}
