using System.IO.Hashing;

namespace Datacake.EventualConsistency.Layout;

/// <summary>
/// A storage key for use in dictionaries, with equality by its bytes. The hash is seeded differently in each process, so that nobody can
/// choose keys that collide.
/// </summary>
readonly struct StorageKey(ReadOnlyMemory<byte> bytes) : IEquatable<StorageKey>
{
    static readonly long Seed = Random.Shared.NextInt64();

    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public bool Equals(StorageKey other) => Bytes.Span.SequenceEqual(other.Bytes.Span);

    public override bool Equals(object? obj) => obj is StorageKey other && Equals(other);

    public override int GetHashCode() => (int)XxHash3.HashToUInt64(Bytes.Span, Seed);
}
