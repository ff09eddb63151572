using System.Text;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// The record of the named stores of which a node has data, in the node's own storage. A store that is opened only when it is used has to be known before:
/// otherwise another node, which asks who holds it, would form it anew. A store that was given up has to be known, too, as long as the configuration names it.
/// Without a storage, the record ends with the process. Thread-safe.
/// </summary>
/// <param name="storage">The node's own storage, or null if it has none.</param>
sealed class HeldStores(IStorage? storage)
{
    // In the range of the node's own keys, which the replicated store never uses.
    static readonly byte[] Prefix = [0xF0, (byte)'s'];

    const int PageSize = 1_000;

    // The values of the records.
    const byte Held = 1, GivenUp = 2;

    readonly Lock _lock = new();
    readonly Dictionary<string, byte> _records = new(StringComparer.Ordinal);      // under the lock

    /// <summary>Gets the names of the stores of which the node has data, in no order.</summary>
    public IReadOnlyCollection<string> Names
    {
        get
        {
            lock (_lock)
                return [.. _records.Where(static record => record.Value == Held).Select(static record => record.Key)];
        }
    }

    public bool Contains(string name) => ValueOf(name) == Held;

    /// <summary>Returns true if the node has given up a store, and has not held it since.</summary>
    public bool IsGivenUp(string name) => ValueOf(name) == GivenUp;

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
                foreach (var (key, value) in page)
                    _records[Encoding.UTF8.GetString(key.Span[Prefix.Length..])] = value.Span is [GivenUp, ..] ? GivenUp : Held;
            }
            range = range.After(page[^1].Key.ToArray());
        }
    }

    /// <summary>Records durably that the node has data of a store. Returns false if that was recorded before.</summary>
    /// <exception cref="StorageException">The storage refuses the record.</exception>
    public async ValueTask<bool> AddAsync(string name)
    {
        if (Contains(name))
            return false;
        await CommitAsync(name, Held).ConfigureAwait(false);
        return true;
    }

    /// <summary>Removes what is recorded of a store.</summary>
    /// <exception cref="StorageException">The storage refuses the change.</exception>
    public ValueTask RemoveAsync(string name) => CommitAsync(name, value: null);

    /// <summary>Records durably that the node has given up a store.</summary>
    /// <exception cref="StorageException">The storage refuses the record.</exception>
    public ValueTask GiveUpAsync(string name) => CommitAsync(name, GivenUp);

    byte? ValueOf(string name)
    {
        lock (_lock)
            return _records.TryGetValue(name, out byte value) ? value : null;
    }

    async ValueTask CommitAsync(string name, byte? value)
    {
        if (storage is not null)
        {
            byte[] key = [.. Prefix, .. Encoding.UTF8.GetBytes(name)];
            var batch = new WriteBatch { MayUseReserve = true };
            if (value is { } recorded)
                batch.Put(key, new byte[] { recorded });
            else
                batch.Delete(key);
            await storage.CommitAsync(batch, Durability.Flushed, CancellationToken.None).ConfigureAwait(false);
        }
        lock (_lock)
        {
            if (value is { } kept)
                _records[name] = kept;
            else
                _records.Remove(name);
        }
    }
}
