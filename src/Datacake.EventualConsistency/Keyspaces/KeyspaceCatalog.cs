using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>The keyspaces of a store. Only the commit loop changes them; any thread may look one up.</summary>
sealed class KeyspaceCatalog
{
    const int MaxKeyspaces = 10_000;

    readonly List<KeyspaceEntry> _unstored = [];

    // Removed keyspaces by name. A keyspace gets its number and policy back when it is written to again.
    readonly Dictionary<string, KeyspaceEntry> _removed = [];

    // Those keyspaces that an earlier process removed. Their numbers may be reused. The numbers of keyspaces that this process removed may
    // not: an older snapshot, in which they have documents, may still be open.
    readonly Queue<KeyspaceEntry> _free = [];
    volatile ImmutableDictionary<string, KeyspaceEntry> _byName = ImmutableDictionary<string, KeyspaceEntry>.Empty;
    volatile ImmutableDictionary<ushort, KeyspaceEntry> _byNumber = ImmutableDictionary<ushort, KeyspaceEntry>.Empty;
    volatile ImmutableDictionary<string, KeyspaceView> _views = ImmutableDictionary<string, KeyspaceView>.Empty;

    // Most documents of a batch are in one keyspace.
    volatile KeyspaceEntry? _lastFound;

    public IEnumerable<KeyspaceEntry> All => _byName.Values;

    /// <summary>
    /// Gets the keyspaces as readers see them. It is replaced after a commit from which on readers may, or may no longer, use an index.
    /// </summary>
    public ImmutableDictionary<string, KeyspaceView> Views => _views;

    /// <summary>Gets the keyspaces that no commit has stored yet.</summary>
    public IReadOnlyList<KeyspaceEntry> Unstored => _unstored;

    /// <summary>
    /// Gets the fingerprint of all keyspaces after the last commit. It does not depend on the numbers that a node gives its keyspaces
    /// [R15].
    /// </summary>
    public UInt128 Fingerprint => _byName.Values.Aggregate(UInt128.Zero, static (sum, keyspace) =>
        sum + Layout.Fingerprint.Of(keyspace.Name, keyspace.State.Record.Fingerprint));

    public KeyspaceEntry? Find(string name)
    {
        // Another thread may have cached the keyspace while it was being removed.
        if (_lastFound is { } last && last.Name == name && !last.State.Record.IsRemoved)
            return last;
        var found = _byName.GetValueOrDefault(name);
        if (found is not null)
            _lastFound = found;
        return found;
    }

    /// <summary>Returns the keyspace with a number, or null if there is none.</summary>
    public KeyspaceEntry? FindByNumber(ushort number) => _byNumber.GetValueOrDefault(number);

    public KeyspaceEntry this[ushort number] => _lastFound is { } last && last.Number == number ? last : _byNumber[number];

    /// <exception cref="InvalidDataException">The record of a keyspace is missing.</exception>
    public static async ValueTask<KeyspaceCatalog> LoadAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        var catalog = new KeyspaceCatalog();
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllKeyspaces, cancellationToken).ConfigureAwait(false))
        {
            var entry = new KeyspaceEntry(StoreLayout.NumberOf(key.Span), KeyspaceState.Of(KeyspaceRecord.Decode(value)));
            if (catalog._byName.ContainsKey(entry.Name) || catalog._removed.ContainsKey(entry.Name))
                throw new InvalidDataException($"The keyspace '{entry.Name}' has two records.");
            if (entry.State.Record.IsRemoved)
                catalog.AddFree(entry);
            else
                catalog.Add(entry);
        }
        await catalog.CheckAsync(snapshot, cancellationToken).ConfigureAwait(false);
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllIndexes, cancellationToken).ConfigureAwait(false))
        {
            var record = IndexRecord.Decode(value);
            var keyspace = catalog.FindByNumber(record.Keyspace)
                ?? throw new InvalidDataException($"The index '{record.Name}' belongs to a keyspace whose record is missing.");
            ushort number = StoreLayout.NumberOf(key.Span);
            // No application declares the index of expiries.
            keyspace.State = record.Stage != IndexStage.Dropped && record.IsOf(ExpiryIndex.Definition)
                ? keyspace.State.With(number, record, ExpiryIndex.Definition)
                : keyspace.State with { IndexRecords = keyspace.State.IndexRecords.Add(number, record) };
        }
        return catalog;
    }

    /// <summary>Returns a keyspace, or adds it with the policy that its writer gives it.</summary>
    /// <exception cref="InvalidDataException">The name is not a valid keyspace name, or there are too many keyspaces.</exception>
    public KeyspaceEntry FindOrAdd(string name, MergePolicy policy)
    {
        if (Find(name) is { } found)
            return found;
        CheckName(name);
        if (_byName.Count >= MaxKeyspaces)
            throw new InvalidDataException($"The keyspace '{name}' cannot be added, because the store already has the maximum of {MaxKeyspaces} keyspaces. Drop keyspaces that are no longer used.");
        if (_removed.Remove(name, out var removed))
        {
            removed.State = KeyspaceState.Of(removed.State.Record with { IsRemoved = false, Count = 0, Fingerprint = 0 });
            _unstored.Add(removed);
            Add(removed);
            return removed;
        }
        while (_free.TryPeek(out var revived) && !_removed.ContainsValue(revived))
            _free.Dequeue();
        if (_free.Count == 0 && _byNumber.Count == ushort.MaxValue)
            throw new InvalidDataException($"The keyspace '{name}' cannot be added, because removed keyspaces still use the remaining keyspace numbers. Restart the node.");
        ushort number = (ushort)(_byNumber.Count + 1);
        if (_free.TryDequeue(out var free))
        {
            number = free.Number;
            _removed.Remove(free.Name);
        }
        var entry = new KeyspaceEntry(number, KeyspaceState.Of(new KeyspaceRecord(name, policy, 0, 0)));
        _unstored.Add(entry);
        Add(entry);
        return entry;
    }

    /// <summary>Takes over the changes of a commit.</summary>
    public void Complete(IEnumerable<KeyspaceChange> changes)
    {
        _unstored.Clear();
        foreach (var change in changes)
        {
            change.Keyspace.State = change.State;
            if (change.State.Record.IsRemoved)
                Remove(change.Keyspace);
            else
                Show(change.Keyspace);
        }
    }

    /// <summary>Reads the stored records again, after a commit with an unknown outcome.</summary>
    public async ValueTask ReadAgainAsync(IStorageSnapshot snapshot)
    {
        var stored = await LoadAsync(snapshot, CancellationToken.None).ConfigureAwait(false);
        foreach (var keyspace in All)
        {
            var state = stored.Find(keyspace.Name)?.State ?? KeyspaceState.Of(keyspace.State.Record with { Count = 0, Fingerprint = 0 });
            // The commit may have given the index another number, under which it is rebuilt. It may have added the index of expiries, which was read with its definition.
            keyspace.State = state with
            {
                Indexes = [.. state.Indexes,
                           .. from index in keyspace.State.Indexes
                              where index.Definition.Name != ExpiryIndex.Name
                              from record in state.IndexRecords
                              where record.Value.Stage != IndexStage.Dropped && record.Value.IsOf(index.Definition)
                              select new IndexEntrySet(record.Key, index.Definition)],
            };
            Show(keyspace);
        }
        _unstored.Clear();
        _unstored.AddRange(All.Where(keyspace => stored.Find(keyspace.Name) is null));
    }

    /// <exception cref="InvalidDataException">The name is not a valid keyspace name.</exception>
    public static void CheckName(string name)
    {
        if (name.Length is 0 or > 200)
            throw new InvalidDataException($"The keyspace name '{(name.Length > 50 ? name[..50] + "…" : name)}' has {name.Length} characters. A name has 1 to 200 characters.");
        // Its UTF-8 bytes would contain a replacement character, and would equal those of other such names.
        if (ContainsHalfOfSurrogatePair(name))
            throw new InvalidDataException($"The keyspace name '{name}' contains half of a surrogate pair, which is not a character. Remove it.");
    }

    /// <exception cref="ArgumentException">The name is not a valid keyspace name.</exception>
    public static void CheckArgument(string name, string parameter)
    {
        ArgumentNullException.ThrowIfNull(name, parameter);
        try
        {
            CheckName(name);
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException(e.Message, parameter, e);
        }
    }

    /// <summary>
    /// Checks that no record of a keyspace is lost. Keyspaces are numbered from 1, and a removed keyspace keeps its number: a number that
    /// is missing, or that only documents have, means a lost record.
    /// </summary>
    async ValueTask CheckAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        for (int number = 1; number <= _byNumber.Count; number++)
        {
            if (!_byNumber.ContainsKey((ushort)number))
                throw new InvalidDataException($"The record of keyspace number {number} is missing.");
        }
        var rest = new KeyRange(StoreLayout.Documents((ushort)(_byNumber.Count + 1)).Start, StoreLayout.AllDocuments.End);
        if ((await SnapshotReading.ScanKeysAsync(snapshot, rest, 1, cancellationToken).ConfigureAwait(false)).Count > 0)
            throw new InvalidDataException("There are documents of a keyspace whose record is missing.");
    }

    static bool ContainsHalfOfSurrogatePair(ReadOnlySpan<char> name)
    {
        if (Ascii.IsValid(name))
            return false;
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
        _byNumber = _byNumber.SetItem(entry.Number, entry);
        _byName = _byName.Add(entry.Name, entry);
        Show(entry);
    }

    void AddFree(KeyspaceEntry entry)
    {
        _byNumber = _byNumber.Add(entry.Number, entry);
        _removed.Add(entry.Name, entry);
        _free.Enqueue(entry);
    }

    void Remove(KeyspaceEntry entry)
    {
        // A keyspace that is already removed may have been written to again.
        if (!ReferenceEquals(_byName.GetValueOrDefault(entry.Name), entry))
            return;
        _byName = _byName.Remove(entry.Name);
        _views = _views.Remove(entry.Name);
        _removed[entry.Name] = entry;
        _lastFound = null;
    }

    void Show(KeyspaceEntry entry)
    {
        if (!_views.TryGetValue(entry.Name, out var view) || !view.IsOf(entry.State))
            _views = _views.SetItem(entry.Name, KeyspaceView.Of(entry));
    }
}
