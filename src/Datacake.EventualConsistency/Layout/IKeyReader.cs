using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>A snapshot that shows the keys of a range whatever has become of their values, for whoever deletes them.</summary>
interface IKeyReader : IStorageSnapshot
{
    /// <summary>Returns a page of the keys in a range, in ascending order; an empty one is the end.</summary>
    /// <exception cref="StorageException">The store cannot be read, or its keys are not in their order.</exception>
    ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ScanKeysAsync(KeyRange range, int maxKeys, CancellationToken cancellationToken = default);
}
