using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.ChangeTracking;
using Datacake.Data.Serial;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Saving;

/// <summary>A save that goes through the sequencer: the documents that it writes, and what must still be as it was read.</summary>
/// <remarks>
/// Serial documents are written as a whole. A change is therefore applied to the document that was read, which is a condition of the commit, so that cells that
/// this version of the class does not know are kept.
/// </remarks>
sealed class SerialSave : IDisposable
{
    const int MaxAttempts = 20;

    readonly ReplicatedStore _store;
    readonly SerialReads? _reads;
    readonly Transaction _effects = new();
    readonly List<SerialCondition> _conditions = [];
    IReadOnlyList<SerialRange> _ranges = [];
    readonly List<PendingWrite> _prepared = [];
    IReadOnlyList<PendingWrite> _writes = [];                   // with the properties that get numbers
    IReadOnlyList<SerialNumber> _numbers = [];
    readonly Dictionary<int, EntityEntry> _owners = [];         // by the index of the condition
    readonly HashSet<int> _unread = [];                         // the conditions about entities that the user did not read
    StoreSnapshot? _snapshot;

    SerialSave(ReplicatedStore store, SerialReads? reads) => (_store, _reads) = (store, reads);

    /// <summary>Commits the writes of a save.</summary>
    /// <param name="store">The store.</param>
    /// <param name="writes">The writes. Those of serial entities need not be complete.</param>
    /// <param name="reads">What was read for the save; null if only the entities that it writes are checked.</param>
    /// <param name="assumed">The entities, besides those that are written, of which the user has given the values that must be stored.</param>
    /// <param name="onSending">Receives the writes, with the documents that are written.</param>
    /// <param name="cancellationToken">Cancels the save, as long as it was not sent.</param>
    /// <exception cref="EntityConflictException">Entities have changed since they were read, or exist already.</exception>
    /// <exception cref="ReadConflictException">Something else that was read has changed.</exception>
    /// <exception cref="UniqueConstraintException">Another entity has the values of an entity in a unique index.</exception>
    /// <exception cref="InvalidOperationException">An entity that merges has a counter to add to, or one with bounds to begin; or the work has read too much.</exception>
    /// <exception cref="SaveLimitException">An entity, or the save as a whole, is too large.</exception>
    public static async Task<CommitResult> CommitAsync(
        ReplicatedStore store, IReadOnlyList<PendingWrite> writes, SerialReads? reads, IReadOnlyList<EntityEntry> assumed, Action<IReadOnlyList<PendingWrite>> onSending,
        CancellationToken cancellationToken)
    {
        var unknown = new UnknownIndexes();
        for (int attempt = 1; ; attempt++)
        {
            using var save = new SerialSave(store, reads);
            await save.PrepareAsync(writes, assumed, unknown, cancellationToken).ConfigureAwait(false);
            onSending(save._writes);
            try
            {
                return await store.CommitSerialAsync(save.ToTransaction(), cancellationToken).ConfigureAwait(false);
            }
            catch (SerialConflictException e) when (unknown.Add(e))
            {
                // The sequencer cannot search the index. It checks all entities instead.
            }
            catch (SerialConflictException e) when (save._unread.Contains(e.Condition) && attempt < MaxAttempts)
            {
                // The user asked to overwrite an entity, whatever it is. It has changed since it was read to be completed.
            }
            catch (SerialConflictException e)
            {
                throw await save.ConflictOfAsync(e, cancellationToken).ConfigureAwait(false);
            }
            catch (TransactionLimitException e)
            {
                throw EntityTransaction.LimitOf(writes, e);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _snapshot?.Dispose();

    SerialTransaction ToTransaction() => new(_effects, _conditions)
    {
        Ranges = _ranges,
        Numbers = _numbers,
        UniqueIndexes = UniqueIndexes.Of(_writes.Where(static write => write.Content is not null).Select(static write => write.Entry.Keyspace)),
    };

    async Task PrepareAsync(IReadOnlyList<PendingWrite> writes, IReadOnlyList<EntityEntry> assumed, UnknownIndexes unknown, CancellationToken cancellationToken)
    {
        // The serial ones come first, for which the snapshot must be recent.
        var merging = new List<PendingWrite>();
        foreach (var write in writes)
        {
            if (write.Entry.Keyspace.Entity.IsSerial)
                _prepared.Add(await AddAsync(write, cancellationToken).ConfigureAwait(false));
            else
                merging.Add(write);
        }
        await AddMergingAsync(merging, cancellationToken).ConfigureAwait(false);
        (_writes, _numbers) = SerialNumbers.Of(_prepared);
        var known = _conditions.ToHashSet();
        if (_reads is not { } reads)
            return;
        _conditions.AddRange(reads.Conditions.Where(known.Add));
        foreach (var entry in assumed)
        {
            if (await GetAsync(entry, cancellationToken).ConfigureAwait(false) is not { } document || !EntityTransaction.HasContent(entry, document, entry.Original!))
                throw ReadConflictOf(entry.Keyspace.Name, entry.Key, "which the context tracks, is not stored with the values that it was attached with", refused: null);
            var condition = new SerialCondition(entry.Keyspace.Name, entry.Key, ContentHash.Of(document));
            if (known.Add(condition))
                _conditions.Add(condition);
        }
        if (_conditions.Count > SerialCondition.MaxConditions)
            throw TooMuch(innerException: null);
        _ranges = await reads.RangesAsync(_store, unknown, cancellationToken).ConfigureAwait(false);
        if (_ranges.Count > SerialRange.MaxRanges)
            throw TooMuch(innerException: null);
    }

    async Task<PendingWrite> AddAsync(PendingWrite write, CancellationToken cancellationToken)
    {
        var (entry, content, changes) = write;
        string keyspace = entry.Keyspace.Name;
        DocumentContent? written = null;
        if (entry.CurrentState == EntityState.Deleted)
        {
            await RequireKnownAsync(entry, entry, isNeeded: false, cancellationToken).ConfigureAwait(false);
            _effects.Delete(keyspace, entry.Key);
        }
        else if (entry.CurrentState == EntityState.Added)
        {
            if (entry.Replaced is { } replaced)
                await RequireKnownAsync(replaced, entry, isNeeded: false, cancellationToken).ConfigureAwait(false);
            // The sequencer assigns no number with which the key would be stored already.
            else if (!entry.MayReplace && !entry.Tracker.AwaitsKey(entry))
                Require(entry, null);
            _effects.Put(keyspace, SerialNumbers.KeyOf(entry), written = content!.Cells);
        }
        else
        {
            var basis = (await RequireKnownAsync(entry, entry, isNeeded: true, cancellationToken).ConfigureAwait(false))!;
            if (changes is null)
            {
                var document = await GetAsync(entry, cancellationToken).ConfigureAwait(false);
                changes = content!.AssertedOver(entry.ContentOf(document!));
            }
            _effects.Put(keyspace, entry.Key, written = basis.With(changes.Cells));
        }
        return write with { Changes = changes, Document = written };
    }

    /// <summary>
    /// Adds the condition that an entity is as the user knows it, and returns its whole content. If the user has read it, that is the content that was read. If it
    /// was attached, or given other original values, the stored entity must have these. Otherwise it may be anything; null if it is not read at all.
    /// </summary>
    /// <param name="known">The entity with the original values.</param>
    /// <param name="entry">The entity that is written, which is the same one unless it replaces the other.</param>
    /// <param name="isNeeded">True if the content is needed to write the entity.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    async ValueTask<DocumentContent?> RequireKnownAsync(EntityEntry known, EntityEntry entry, bool isNeeded, CancellationToken cancellationToken)
    {
        if (known.Stored is { } stored)
        {
            Require(entry, ContentHash.Of(stored));
            return stored;
        }
        var (original, assumed) = (known.Original, known.AssumedOriginal);
        if (original is null && assumed is null && !isNeeded)
            return null;
        if (await GetAsync(known, cancellationToken).ConfigureAwait(false) is not { } document)
            throw ConflictOf(entry, isGone: true);
        if (original is not null && !EntityTransaction.HasContent(known, document, original))
            throw ConflictOf(entry, isGone: false);
        if (original is null && assumed is not null && !EntityTransaction.HasTokens(known.Keyspace.Entity, known.Key, document, assumed, known.Lacking))
            throw ConflictOf(entry, isGone: false);
        if (original is null && assumed is null)
            _unread.Add(_conditions.Count);
        Require(entry, ContentHash.Of(document));
        return StoredContent.Of(document);
    }

    /// <summary>
    /// Adds the writes of entities that merge. Conditions of a serial transaction are about serial entities, so that the requirements of these are checked here.
    /// </summary>
    async ValueTask AddMergingAsync(List<PendingWrite> writes, CancellationToken cancellationToken)
    {
        if (writes.Count == 0)
            return;
        _prepared.AddRange(writes);
        var transaction = EntityTransaction.Of(writes, _store.Now);
        foreach (var (keyspace, key, isMet) in transaction.Requirements)
        {
            var entry = writes.First(write => write.Entry.Key == key && write.Entry.Keyspace.Name == keyspace).Entry;
            var document = await GetAsync(entry, cancellationToken).ConfigureAwait(false);
            if (!isMet(document))
                throw ConflictOf(entry, isGone: document is null);
        }
        foreach (var write in writes.Where(static write => write.Entry.CurrentState == EntityState.Modified))
        {
            if (await GetAsync(write.Entry, cancellationToken).ConfigureAwait(false) is null)
                throw ConflictOf(write.Entry, isGone: true);
        }
        foreach (var (write, operation) in writes.Zip(transaction.Operations))
        {
            SerialCounters.Check(write.Entry.Keyspace.Entity, write.Entry.Key, operation.Counters, isPut: operation.Kind == DocumentOperationKind.Put);
            _effects.Add(operation with { Counters = [] });
        }
    }

    void Require(EntityEntry entry, UInt128? content)
    {
        _owners.Add(_conditions.Count, entry);
        _conditions.Add(new SerialCondition(entry.Keyspace.Name, entry.Key, content));
    }

    /// <summary>Reads an entity from the local store. If it is serial, the store first gets everything serial that was saved before.</summary>
    async ValueTask<Document?> GetAsync(EntityEntry entry, CancellationToken cancellationToken)
    {
        if (_snapshot is null)
        {
            if (entry.Keyspace.Entity.IsSerial)
                await _store.PassBarrierAsync(cancellationToken).ConfigureAwait(false);
            _snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        }
        return await _snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the exception for a commit that was refused, with all entities that have changed.</summary>
    async Task<Exception> ConflictOfAsync(SerialConflictException refused, CancellationToken cancellationToken)
    {
        // Each write is one operation.
        if (refused.Refusal.Reason == RefusalReason.Unique)
            return UniqueConstraintException.Of(_writes[refused.Refusal.Condition].Entry, refused);
        if (refused.Refusal.Reason == RefusalReason.NoNumber)
            return NoNumberOf(refused);
        if (refused.Refusal.Reason != RefusalReason.Document)
            return RangeConflictOf(refused);
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var conflicts = new List<(EntityEntry Entry, bool IsGone)>();
        for (int i = 0; i < _conditions.Count; i++)
        {
            if (!_owners.TryGetValue(i, out var entry))
                continue;
            var document = await snapshot.GetAsync(_conditions[i].Keyspace, _conditions[i].Key, cancellationToken).ConfigureAwait(false);
            bool isChanged = _conditions[i].Content != (document is null ? null : ContentHash.Of(document));
            if (isChanged || i == refused.Condition)
                conflicts.Add((entry, document is null && _conditions[i].Content is not null));
        }
        if (conflicts.Count > 0)
            return new EntityConflictException(conflicts, _reads?.Remedy, refused);
        var (keyspace, key, content) = _conditions[refused.Condition];
        bool isStored = await snapshot.GetAsync(keyspace, key, cancellationToken).ConfigureAwait(false) is not null;
        string change = content is null ? "which the work has not found, was added" : $"which the work has read, was {(isStored ? "changed" : "deleted")}";
        return ReadConflictOf(keyspace, key, change, refused);
    }

    ReadConflictException ReadConflictOf(string keyspace, DocumentKey key, string change, Exception? refused) =>
        new($"The {_reads!.NameOf(keyspace)} {key}, {change}.", keyspace, key, _reads.Remedy, refused);

    EntityConflictException ConflictOf(EntityEntry entry, bool isGone) => new([(entry, isGone)], _reads?.Remedy, innerException: null);

    InvalidOperationException NoNumberOf(SerialConflictException refused)
    {
        bool isInt = _numbers[refused.Refusal.Condition].Max == int.MaxValue;
        return new InvalidOperationException($"{refused.Message} {(isInt ? "Make the property a long." : "Set the property yourself.")}", refused);
    }

    Exception RangeConflictOf(SerialConflictException refused)
    {
        var (keyspace, index, _, _, _, _) = _ranges[refused.Refusal.Condition];
        return refused.Refusal.Reason switch
        {
            RefusalReason.TooMuch => TooMuch(refused),
            RefusalReason.Range => RangeChangeOf(keyspace, index, refused),
            _ => new InvalidOperationException(refused.Message, refused),
        };
    }

    ReadConflictException RangeChangeOf(string keyspace, string? index, Exception refused)
    {
        string how = index is null ? "searched" : $"searched by the index {index}";
        return new ReadConflictException(
            $"The {_reads!.NameOf(keyspace)} entities that the work has {how} have changed: one was added, changed, or deleted.", keyspace, key: null, _reads.Remedy, refused);
    }

    static InvalidOperationException TooMuch(Exception? innerException) => new(
        "The queries of the serial unit of work have read more than can be checked: the limit is 10,000 entities, or 16 MiB of them, in 10,000 ranges, and 100,000 entities by key or tracked before. Nothing was saved. "
            + "Search fewer entities, such as by an index, track fewer of them, or divide the work.", innerException);
}
