using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Extensions.Caching.Memory;

/// <summary>An entry in the memory of this process. Immutable, apart from its place in the order of eviction.</summary>
sealed class LocalEntry
{
    public required string Key { get; init; }

    public required DocumentKey Document { get; init; }

    /// <summary>Gets the stamp of the entry's document; if it has none, the origin.</summary>
    public required HlcTimestamp Stamp { get; init; }

    /// <summary>Gets the greatest stamp that the maker of the value had seen when it began. The value is invalid if a tag was invalidated at a greater one.</summary>
    public required HlcTimestamp Origin { get; init; }

    public DocumentKey[]? Tags { get; init; }

    /// <summary>Gets the instant of the wall clock from which on the entry is not there, in ticks of UTC.</summary>
    public required long ExpiresAt { get; init; }

    public bool IsNull { get; init; }

    /// <summary>Gets the value, if it is immutable, so that all readers may share it; null otherwise.</summary>
    public object? Shared { get; init; }

    /// <summary>Gets the serialized value, if there is no shared one.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Gets the length that counts, in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>Gets or sets whether the entry was read since it was last considered for eviction.</summary>
    public bool WasRead { get; set; }
}
