using System.Text;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// The record of the named stores of which a node has data, in the node's own storage. A store that is opened only when it is used has to be known before:
/// otherwise another node, which asks who holds it, would form it anew. Without a storage, the record ends with the process. Thread-safe.
/// </summary>
/// <param name="storage">The node's own storage, or null if it has none.</param>
sealed class HeldStores(IStorage? storage)
{
    // In the range of the node's own keys, which the replicated store never uses.
    static readonly byte[] Prefix = [0xF0, (byte)'s'];

    const int PageSize = 1_000;

    static readonly byte[] Value = [1];                                 // the version of the record

    readonly Lock _lock = new();
    readonly HashSet<string> _names = new(StringComparer.Ordinal);      // under the lock

    /// <summary>Gets the names, in no order.</summary>
    public IReadOnlyCollection<string> Names
    {
        get
        {
            lock (_lock)
                return [.. _names];
        }
    }

    public bool Contains(string name)
    {
        lock (_lock)
            return _names.Contains(name);
    }

    /// <summary>Loads the names that earlier runs have recorded.</summary>
    /// <exception cref="StorageException">The storage cannot be read.</exception>
    public async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        if (storage is null)
            return;
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        for (var range = KeyRange.WithPrefix(Prefix); ;)
        {
            var page = await snapshot.ScanAsync(range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return;
            lock (_lock)
            {
                foreach (var (key, _) in page)
                    _names.Add(Encoding.UTF8.GetString(key.Span[Prefix.Length..]));
            }
            range = range.After(page[^1].Key.ToArray());
        }
    }

    /// <summary>Records a name durably. Returns false if it was recorded before.</summary>
    /// <exception cref="StorageException">The storage refuses the record.</exception>
    public async ValueTask<bool> AddAsync(string name)
    {
        if (Contains(name))
            return false;
        await CommitAsync(name, isHeld: true).ConfigureAwait(false);
        lock (_lock)
            return _names.Add(name);
    }

    /// <summary>Removes a name.</summary>
    /// <exception cref="StorageException">The storage refuses the change.</exception>
    public async ValueTask RemoveAsync(string name)
    {
        await CommitAsync(name, isHeld: false).ConfigureAwait(false);
        lock (_lock)
            _names.Remove(name);
    }

    async ValueTask CommitAsync(string name, bool isHeld)
    {
        if (storage is null)
            return;
        byte[] key = [.. Prefix, .. Encoding.UTF8.GetBytes(name)];
        var batch = new WriteBatch { MayUseReserve = true };
        if (isHeld)
            batch.Put(key, Value);
        else
            batch.Delete(key);
        await storage.CommitAsync(batch, Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
    }
}
