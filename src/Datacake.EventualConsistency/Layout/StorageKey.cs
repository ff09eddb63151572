namespace Datacake.EventualConsistency.Layout;

/// <summary>A storage key for use in dictionaries: equal when its bytes are.</summary>
readonly struct StorageKey(ReadOnlyMemory<byte> bytes) : IEquatable<StorageKey>
{
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public bool Equals(StorageKey other) => Bytes.Span.SequenceEqual(other.Bytes.Span);

    public override bool Equals(object? obj) => obj is StorageKey other && Equals(other);

    public override int GetHashCode() => (int)System.IO.Hashing.XxHash3.HashToUInt64(Bytes.Span);
}
