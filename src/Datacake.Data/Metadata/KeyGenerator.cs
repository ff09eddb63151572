using System.Buffers.Binary;
using Datacake.Crdt;

namespace Datacake.Data.Metadata;

/// <summary>
/// Makes key values that no other node makes, and that order by the time they are made at. Thread-safe. For generated code.
/// </summary>
public sealed class KeyGenerator
{
    readonly HybridLogicalClock _clock;

    internal KeyGenerator(HybridLogicalClock clock) => _clock = clock;

    /// <summary>
    /// A version 7 Guid of the next stamp of the node's clock (RFC 9562, section 6.2, method 1): the time to 4 ms, the counter, the node, and 50 random bits. Those of one node are in the
    /// order in which they were made.
    /// </summary>
    public Guid NextGuid()
    {
        var stamp = _clock.Tick();
        Span<byte> bytes = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (stamp.Time.ToUnixTimeMilliseconds() << 16) | (uint)(0x7000 | (stamp.Counter >> 4)));
        bytes[8] = (byte)(0x80 | ((stamp.Counter & 0xF) << 2) | (bytes[8] & 0x3));
        bytes[9] = stamp.Node;
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>
    /// A stamp of the node's clock, which is of this node alone and never comes again: the clock starts above all stamps in the store, and
    /// what has the key is stored under a later one. Positive until 2091.
    /// </summary>
    public long NextInt64() => unchecked((long)NextUInt64());

    /// <inheritdoc cref="NextInt64"/>
    public ulong NextUInt64() => _clock.Tick().Packed;
}
