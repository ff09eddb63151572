using Datacake.Administration.Contracts;
using Datacake.Administration.Inspection;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.Administration.Backups;

/// <summary>
/// The verification of a backup that is open for reading: the checksum of every record, the format, the identity, and the number and fingerprint of the documents of each
/// keyspace. The provider has checked the structure of the file when it opened it.
/// </summary>
sealed class BackupVerifier
{
    const int PageSize = 500;

    readonly IStorage _backup;
    readonly Dictionary<ushort, KeyspaceRecord> _keyspaces = [];
    readonly Dictionary<ushort, (long Count, UInt128 Fingerprint)> _found = [];
    long _records;

    BackupVerifier(IStorage backup) => _backup = backup;

    /// <summary>Verifies a backup.</summary>
    /// <param name="path">The path of the backup.</param>
    /// <param name="backup">The opened backup.</param>
    /// <param name="original">The description of the store that was backed up, as it was before that; null if it is not known.</param>
    /// <param name="cancellationToken">A token that stops the reading.</param>
    /// <exception cref="StorageException">The backup is damaged, is not that of a node, or is not that of the original.</exception>
    public static async Task<BackupVerification> VerifyAsync(string path, IStorage backup, StoreSummary? original, CancellationToken cancellationToken)
    {
        var verifier = new BackupVerifier(backup);
        StoreSummary summary;
        try
        {
            // First, because it tells damage from a different format.
            await verifier.ReadAsync(cancellationToken).ConfigureAwait(false);
            summary = await StoreInspection.ReadAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw verifier.Damaged(e.Message);
        }
        if (summary is not { HasJoined: true, NodeId: { } nodeId })
            throw new StorageException(StorageError.Failed, $"The {backup.Description} has a store that had not joined its cluster yet. Back up a node that has joined.");
        if (original is not null)
            verifier.Compare(summary, original);
        return new BackupVerification(
            path, new FileInfo(path).Length, nodeId, summary.StoreId, summary.ClusterId, summary.Format, verifier._records, summary.Keyspaces.Sum(static keyspace => keyspace.Documents),
            summary.LastStamps.Count == 0 ? null : summary.LastStamps.Max(static last => last.Time));
    }

    async Task ReadAsync(CancellationToken cancellationToken)
    {
        using var snapshot = await _backup.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await EventualConsistency.Replication.Replica.CheckFormatAsync(_backup, snapshot, cancellationToken).ConfigureAwait(false);
        await foreach (var (key, value) in ReadAsync(snapshot, StoreLayout.AllKeyspaces, cancellationToken).ConfigureAwait(false))
            _keyspaces[StoreLayout.NumberOf(key.Span)] = KeyspaceRecord.Decode(value);
        await foreach (var (key, value) in ReadAsync(snapshot, StoreLayout.All, cancellationToken).ConfigureAwait(false))
        {
            _records++;
            if (StoreLayout.IsDocumentKey(key.Span))
                Count(key, value);
        }
        foreach (var (number, keyspace) in _keyspaces)
        {
            // A keyspace that must be counted again has had damage, and its documents are right.
            var (count, fingerprint) = _found.GetValueOrDefault(number);
            if (!keyspace.IsRemoved && !keyspace.MustCount && (count != keyspace.Count || fingerprint != keyspace.Fingerprint))
            {
                throw Damaged($"the keyspace '{keyspace.Name}' has {count} documents, which do not match its count ({keyspace.Count}) or its fingerprint.");
            }
        }
    }

    void Count(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        ushort number = StoreLayout.KeyspaceOf(key.Span);
        if (!_keyspaces.TryGetValue(number, out var keyspace))
            throw Damaged($"the record of keyspace number {number} is missing.");
        var document = DocumentRecord.Parse(key, value);
        if (!document.IsAlive(keyspace.Policy))
            return;
        var (count, fingerprint) = _found.GetValueOrDefault(number);
        _found[number] = (count + 1, fingerprint + Fingerprint.Of(key.Span[StoreLayout.DocumentPrefixLength..], document, keyspace.Policy));
    }

    /// <summary>Reads a range to its end, and verifies the order of the keys and the checksum of each record.</summary>
    async IAsyncEnumerable<StorageEntry> ReadAsync(
        IStorageSnapshot snapshot, KeyRange range, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await snapshot.ScanAsync(range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page)
        {
            for (int i = 0; i < page.Count; i++)
            {
                var (key, stored) = page[i];
                if (!range.Contains(key.Span) || (i > 0 && page[i - 1].Key.Span.SequenceCompareTo(key.Span) >= 0))
                    throw Damaged($"{Describe(key.Span)} is in the wrong place.");
                if (!StoreLayout.HasChecksum(key.Span))
                {
                    yield return new StorageEntry(key, stored);
                    continue;
                }
                if (!RecordChecksum.IsRight(key.Span, stored.Span))
                    throw Damaged($"the checksum of {Describe(key.Span)} is wrong.");
                yield return new StorageEntry(key, stored[..^RecordChecksum.Length]);
            }
            range = range.After(page[^1].Key);
        }
    }

    void Compare(StoreSummary summary, StoreSummary original)
    {
        if ((summary.ClusterId, summary.StoreId, summary.NodeId) != (original.ClusterId, original.StoreId, original.NodeId))
        {
            throw new StorageException(StorageError.Foreign,
                $"The {_backup.Description} has store {summary.StoreId} of node {summary.NodeId} in cluster {summary.ClusterId}, but was made of store {original.StoreId} of node "
                    + $"{original.NodeId} in cluster {original.ClusterId}. Back up again to a folder that no other program writes to.");
        }
        var known = summary.LastStamps.ToDictionary(static last => last.NodeId, static last => last.Stamp);
        foreach (var last in original.LastStamps)
        {
            // The text of a stamp sorts like the stamp.
            if (string.CompareOrdinal(known.GetValueOrDefault(last.NodeId), last.Stamp) < 0)
                throw Damaged($"the transactions of node {last.NodeId} end before {last.Stamp}, which the store had before the backup.");
        }
    }

    string Describe(ReadOnlySpan<byte> key) => StoreLayout.Describe(key, number => _keyspaces.GetValueOrDefault(number)?.Name);

    StorageException Damaged(string finding) => new(StorageError.Corrupt, $"The {_backup.Description} is damaged: {finding} Use another backup, and check the disk.");
}
