using System.Buffers.Binary;
using System.ComponentModel;
using Datacake.Crdt;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// A generator of key values that no other node generates and that are ordered by time. Thread-safe. For generated code.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class KeyGenerator
{
    readonly HybridLogicalClock _clock;

    internal KeyGenerator(HybridLogicalClock clock) => _clock = clock;

    /// <summary>
    /// Returns a version 7 Guid of the next stamp of the node's clock (RFC 9562, section 6.2, method 1): the time at a resolution of 4 ms,
    /// the counter, the node, and 50 random bits. The Guids of one node are in the order in which they were generated.
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
    /// Returns a stamp of the node's clock, which belongs to this node alone and never recurs: the clock starts above all stamps in the
    /// store, and the entity that has the key is stored under a later one. Positive until 2091.
    /// </summary>
    public long NextInt64() => unchecked((long)NextUInt64());

    /// <inheritdoc cref="NextInt64"/>
    public ulong NextUInt64() => _clock.Tick().Packed;
}
