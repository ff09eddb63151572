using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>The keyspaces of a store. Changed by the commit loop alone; any thread may look one up.</summary>
sealed class KeyspaceCatalog
{
    const int MaxKeyspaces = 10_000;

    volatile ImmutableDictionary<string, KeyspaceEntry> _byName = ImmutableDictionary<string, KeyspaceEntry>.Empty;
    volatile ImmutableDictionary<ushort, KeyspaceEntry> _byNumber = ImmutableDictionary<ushort, KeyspaceEntry>.Empty;
    ushort _lastIndex;

    public IEnumerable<KeyspaceEntry> All => _byName.Values;

    public KeyspaceEntry? Find(string name) => _byName.GetValueOrDefault(name);

    public KeyspaceEntry this[ushort number] => _byNumber[number];

    public static async ValueTask<KeyspaceCatalog> LoadAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        var catalog = new KeyspaceCatalog();
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllKeyspaces, cancellationToken).ConfigureAwait(false))
            catalog.Add(new KeyspaceEntry(StoreLayout.NumberOf(key.Span), KeyspaceRecord.Decode(value)));
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllIndexes, cancellationToken).ConfigureAwait(false))
        {
            ushort number = StoreLayout.NumberOf(key.Span);
            var record = IndexRecord.Decode(value);
            catalog._byNumber[record.Keyspace].Undeclared.Add(number, record);
            catalog._lastIndex = Math.Max(catalog._lastIndex, number);
        }
        return catalog;
    }

    /// <summary>Finds a keyspace, or adds it with the policy that its writer gives it.</summary>
    /// <exception cref="InvalidDataException">The name is not one, or there are too many keyspaces.</exception>
    public KeyspaceEntry FindOrAdd(string name, MergePolicy policy)
    {
        if (Find(name) is { } found)
            return found;
        CheckName(name);
        if (_byNumber.Count >= MaxKeyspaces)
            throw new InvalidDataException($"The keyspace '{name}' would be one more than the {MaxKeyspaces} that a store can have.");
        var entry = new KeyspaceEntry((ushort)(_byNumber.Count + 1), new KeyspaceRecord(name, policy, 0, 0)) { IsDirty = true };
        Add(entry);
        return entry;
    }

    /// <summary>Takes the records as they are stored, after a commit that failed.</summary>
    public async ValueTask ReadAgainAsync(IStorageSnapshot snapshot)
    {
        foreach (var keyspace in All)
        {
            if (!keyspace.IsDirty)
                continue;
            keyspace.Record = await snapshot.GetAsync(StoreLayout.KeyspaceKey(keyspace.Number)).ConfigureAwait(false) is { } stored
                ? KeyspaceRecord.Decode(stored)
                : keyspace.Record with { Count = 0, Fingerprint = 0 };
        }
    }

    public ushort NextIndexNumber() => ++_lastIndex;

    /// <exception cref="InvalidDataException">The name is not one of a keyspace.</exception>
    public static void CheckName(string name)
    {
        if (name.Length is 0 or > 200)
            throw new InvalidDataException($"A keyspace's name has 1 to 200 characters; '{(name.Length > 50 ? name[..50] + "…" : name)}' has {name.Length}.");
        // Its bytes would be those of a replacement character, and of other such names.
        if (ContainsHalfOfSurrogatePair(name))
            throw new InvalidDataException($"The keyspace's name '{name}' has half of a surrogate pair, which is not a character; remove it.");
    }

    static bool ContainsHalfOfSurrogatePair(ReadOnlySpan<char> name)
    {
        while (!name.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(name, out _, out int length) != OperationStatus.Done)
                return true;
            name = name[length..];
        }
        return false;
    }

    void Add(KeyspaceEntry entry)
    {
        _byNumber = _byNumber.Add(entry.Number, entry);
        _byName = _byName.Add(entry.Name, entry);
    }
}
