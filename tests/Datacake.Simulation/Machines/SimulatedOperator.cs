using System.Buffers.Binary;
using System.IO.Hashing;
using Datacake.EventualConsistency.Replication;

namespace Datacake.Simulation.Machines;

/// <summary>An operator whose proofs nobody else can make: hashes with a secret seed instead of signatures.</summary>
sealed class SimulatedOperator : IRetirementAuthority
{
    const long Seed = 4711;

    public static SimulatedOperator Instance { get; } = new();

    /// <summary>Gets the proof that a liar makes up.</summary>
    public static ReadOnlyMemory<byte> Forged { get; } = new byte[sizeof(ulong)];

    public bool Proves(ulong cluster, ulong storeId, ReadOnlyMemory<byte> proof) => proof.Span.SequenceEqual(Sign(cluster, storeId));

    public static byte[] Sign(ulong cluster, ulong storeId)
    {
        Span<byte> order = stackalloc byte[2 * sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(order, cluster);
        BinaryPrimitives.WriteUInt64BigEndian(order[sizeof(ulong)..], storeId);
        return XxHash64.Hash(order, Seed);
    }
}
