using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>
/// The verification of a store: reads everything, and recomputes the counts, fingerprints and index entries that follow from its documents.
/// </summary>
sealed class StoreVerifier(IStorageSnapshot snapshot, KeyspaceCatalog catalog, ImmutableDictionary<string, KeyspaceView> views, DamageLog damages)
{
    const int MaxFindings = 1_000;

    readonly List<string> _findings = [];
    readonly List<KeyspaceEntry> _miscounted = [];
    long _records;
    long _documents;

    /// <summary>Gets the problems that were found, one sentence each.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>Gets the keyspaces whose counts, fingerprints or indexes do not match their documents.</summary>
    public IReadOnlyList<KeyspaceEntry> Miscounted => _miscounted;

    /// <summary>Gets the number of records that were read.</summary>
    public long Records => _records;

    /// <summary>Gets the number of live documents.</summary>
    public long Documents => _documents;

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        foreach (var keyspace in catalog.All)
            await VerifyAsync(keyspace, cancellationToken).ConfigureAwait(false);
        KeyRange[] others = [StoreLayout.AllLog, StoreLayout.AllKeyspaces, StoreLayout.AllIndexes, StoreLayout.AllArriving, StoreLayout.AllArrivingLog];
        foreach (var range in others)
        {
            await foreach (var key in snapshot.ReadKeysAsync(range, cancellationToken).ConfigureAwait(false))
                await ReadAsync(key).ConfigureAwait(false);
        }
        await ReadAsync(StoreLayout.IdentityKey).ConfigureAwait(false);
        await ReadAsync(StoreLayout.StateKey).ConfigureAwait(false);
    }

    async ValueTask VerifyAsync(KeyspaceEntry keyspace, CancellationToken cancellationToken)
    {
        var stored = await ReadAsync(StoreLayout.KeyspaceKey(keyspace.Number)).ConfigureAwait(false);
        if (stored is not { } bytes)
            return;
        var record = KeyspaceRecord.Decode(bytes);
        var indexes = views.TryGetValue(keyspace.Name, out var view) ? view.Indexes : [];
        var entries = indexes.ToDictionary(index => index.Number, _ => 0L);
        var values = new IndexValues();
        long count = 0;
        UInt128 fingerprint = 0;
        int damaged = _findings.Count;
        bool isIndexed = true;
        await foreach (var key in snapshot.ReadKeysAsync(StoreLayout.Documents(keyspace.Number), cancellationToken).ConfigureAwait(false))
        {
            if (await ReadAsync(key).ConfigureAwait(false) is not { } value)
                continue;
            var document = DocumentRecord.Parse(key, value);
            var documentKey = key[StoreLayout.DocumentPrefixLength..];
            fingerprint += Fingerprint.Of(documentKey.Span, document, record.Policy);
            if (!document.IsAlive(record.Policy))
                continue;
            count++;
            foreach (var index in indexes)
            {
                foreach (byte[] entry in index.ValuesOf(documentKey.Span, document, values))
                {
                    entries[index.Number]++;
                    isIndexed &= await ReadAsync(StoreLayout.IndexEntryKey(index.Number, entry, documentKey.Span)).ConfigureAwait(false) is not null;
                }
            }
        }
        foreach (var (number, expected) in entries)
        {
            long found = 0;
            await foreach (var _ in snapshot.ReadKeysAsync(StoreLayout.IndexEntries(number), cancellationToken).ConfigureAwait(false))
                found++;
            isIndexed &= found == expected;
        }
        _documents += count;
        if (_findings.Count > damaged)
            return;
        if (count != record.Count || fingerprint != record.Fingerprint)
            AddMiscounted(keyspace, $"The documents of the keyspace '{keyspace.Name}' do not match its count ({record.Count}) or its fingerprint: {count} documents were found.");
        else if (!isIndexed)
            AddMiscounted(keyspace, $"The entries of an index of the keyspace '{keyspace.Name}' do not match its documents.");
    }

    void AddMiscounted(KeyspaceEntry keyspace, string finding)
    {
        _miscounted.Add(keyspace);
        AddFinding(finding);
    }

    async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(ReadOnlyMemory<byte> key)
    {
        _records++;
        try
        {
            return await snapshot.GetAsync(key).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Error == StorageError.Corrupt)
        {
            AddFinding($"{damages.Describe(key.Span)} is damaged: its checksum is wrong.");
            return null;
        }
    }

    void AddFinding(string finding)
    {
        if (_findings.Count < MaxFindings)
            _findings.Add(char.ToUpperInvariant(finding[0]) + finding[1..]);
    }
}
