using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Records;

namespace Datacake.Extensions.Caching.Memory;

/// <summary>An entry in the memory of this process. Immutable, apart from its place in the order of eviction.</summary>
sealed class LocalEntry
{
    public required string Key { get; init; }

    public required DocumentKey Document { get; init; }

    /// <summary>Gets the stamp of the entry's document. An entry that is only in memory has that of the document that it hides.</summary>
    public required HlcTimestamp Stamp { get; init; }

    /// <summary>Gets the changes that the maker of the value knew when it began. The value is invalid if a tag was invalidated since.</summary>
    public required Knowledge Known { get; init; }

    /// <summary>Gets the instant of the wall clock from which on the entry is not there, in ticks of UTC.</summary>
    public required long ExpiresAt { get; init; }

    public bool IsNull { get; init; }

    /// <summary>Gets the value, if it is immutable, so that all readers may share it; null otherwise.</summary>
    public object? Shared { get; init; }

    /// <summary>Gets the type as which the value was serialized.</summary>
    public Type? Type { get; init; }

    /// <summary>Gets the serialized value, if there is no shared one.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Gets the length that counts, in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>Gets or sets whether the entry was read since it was last considered for eviction.</summary>
    public bool WasRead { get; set; }

    /// <summary>Gets or sets the place in the order of eviction; null if the entry is not in memory. Only the memory uses it.</summary>
    public LinkedListNode<LocalEntry>? Place { get; set; }
}
