using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>A snapshot that can list the keys of a range even if their values are damaged, so that they can be deleted.</summary>
interface IKeyReader : IStorageSnapshot
{
    /// <summary>Returns a page of the keys in a range, in ascending order. An empty page is the end.</summary>
    /// <exception cref="StorageException">The store cannot be read, or its keys are not in order.</exception>
    ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ScanKeysAsync(KeyRange range, int maxKeys, CancellationToken cancellationToken = default);
}
