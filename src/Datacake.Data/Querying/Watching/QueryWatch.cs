using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Watching;

/// <summary>A watch that derives the changes of a query's results from the changes of its keyspace.</summary>
sealed class QueryWatch<T>(ReplicatedStore store, KeyspaceModel keyspace, EntityModel<T> model, QueryRun<T> query, bool isLimited)
    where T : class
{
    // A hash of each current result, to detect whether it has changed.
    readonly Dictionary<DocumentKey, ulong> _results = [];

    /// <summary>Returns the changes after a position. Each entity is judged only by its states before and after the change.</summary>
    public async IAsyncEnumerable<EntityChanges<T>> FollowAsync(
        WatchPosition after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool isFirst = true;
        await foreach (var batch in store.Keyspace(keyspace.Name).WatchAsync(after, cancellationToken).ConfigureAwait(false))
        {
            List<EntityChange<T>> changes = [.. batch.Changes.Select(ChangeOf).OfType<EntityChange<T>>()];
            if (isFirst || batch.HasGap || changes.Count > 0)
                yield return new EntityChanges<T>(changes, batch.Position, batch.HasGap);
            isFirst = false;
        }
    }

    /// <summary>Returns the current results as added ones, and then their changes.</summary>
    public async IAsyncEnumerable<EntityChanges<T>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The first batch shows that all changes are reported from now on, so the results are read only after it.
        WatchPosition? position = null;
        await foreach (var batch in store.Keyspace(keyspace.Name).WatchAsync(WatchPosition.Now, cancellationToken).ConfigureAwait(false))
        {
            if (position is not null && !batch.HasGap && position.Covers(batch.Position))
                continue;
            bool isFirst = position is null;
            List<EntityChange<T>> changes = [];
            if (isFirst || batch.HasGap || (isLimited && batch.Changes.Any(IsRelevant)))
                (changes, position) = await CompareAsync(cancellationToken).ConfigureAwait(false);
            else
            {
                position = batch.Position;
                if (!isLimited)
                    changes.AddRange(batch.Changes.Select(Apply).OfType<EntityChange<T>>());
            }
            if (isFirst || batch.HasGap || changes.Count > 0)
                yield return new EntityChanges<T>(changes, position, batch.HasGap);
        }
    }

    /// <summary>
    /// Returns the change of an entity without knowing the results; null if it did not match before and does not match now.
    /// </summary>
    EntityChange<T>? ChangeOf(DocumentChange change)
    {
        var (before, after) = (Read(change.Key, change.Before), Read(change.Key, change.After));
        bool was = before is not null && query.Matches(before), @is = after is not null && query.Matches(after);
        if (!change.IsBeforeKnown)
            return new EntityChange<T>(@is ? EntityChangeKind.Changed : EntityChangeKind.Removed, change.Key, null, after);
        return KindOf(was, @is) is { } kind ? new EntityChange<T>(kind, change.Key, before, after) : null;
    }

    /// <summary>Applies a change to the known results, and returns the change of the results.</summary>
    EntityChange<T>? Apply(DocumentChange change)
    {
        var after = Read(change.Key, change.After);
        bool @is = after is not null && query.Matches(after);
        bool was = @is ? _results.ContainsKey(change.Key) : _results.Remove(change.Key);
        if (@is)
            _results[change.Key] = ShownContent.HashOf(change.After!);
        return KindOf(was, @is) is { } kind ? new EntityChange<T>(kind, change.Key, Read(change.Key, change.Before), after) : null;
    }

    /// <summary>Returns true if a change may affect the results of a query that is limited by Skip or Take.</summary>
    bool IsRelevant(DocumentChange change) =>
        _results.ContainsKey(change.Key) || (Read(change.Key, change.After) is { } after && query.Matches(after))
            || (Read(change.Key, change.Before) is { } before && query.Matches(before)) || !change.IsBeforeKnown;

    /// <summary>Reads the results again and compares them with the known ones.</summary>
    async ValueTask<(List<EntityChange<T>> Changes, WatchPosition Position)> CompareAsync(CancellationToken cancellationToken)
    {
        var changes = new List<EntityChange<T>>();
        var gone = _results.Keys.ToHashSet();
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var rows in query.ReadAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            foreach (var row in rows)
            {
                ulong hash = ShownContent.HashOf(row.Document);
                gone.Remove(row.Key);
                if (!_results.TryGetValue(row.Key, out ulong known))
                    changes.Add(new EntityChange<T>(EntityChangeKind.Added, row.Key, null, row.Entity));
                else if (known != hash)
                    changes.Add(new EntityChange<T>(EntityChangeKind.Changed, row.Key, null, row.Entity));
                _results[row.Key] = hash;
            }
        }
        foreach (var key in gone)
        {
            _results.Remove(key);
            var left = await snapshot.GetAsync(keyspace.Name, key, cancellationToken).ConfigureAwait(false);
            changes.Add(new EntityChange<T>(EntityChangeKind.Removed, key, null, Read(key, left)));
        }
        return (changes, await snapshot.GetPositionAsync(cancellationToken).ConfigureAwait(false));
    }

    static EntityChangeKind? KindOf(bool was, bool @is) => (was, @is) switch
    {
        (false, true) => EntityChangeKind.Added,
        (true, true) => EntityChangeKind.Changed,
        (true, false) => EntityChangeKind.Removed,
        _ => null,
    };

    T? Read(DocumentKey key, Document? document) => document is null ? null : model.Read(key, document);
}
