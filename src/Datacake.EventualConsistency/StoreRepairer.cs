using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// The background repair of a store's damaged records: it asks the other members for documents, and lets the replica recompute the rest.
/// </summary>
/// <param name="context">The parts of the store.</param>
/// <param name="disk">The storage below the cache.</param>
sealed class StoreRepairer(SessionContext context, IStorage disk)
{
    /// <summary>
    /// The number of attempts after which the missing parts of a damaged document are given up. Before that, they may still be on their way
    /// to another member.
    /// </summary>
    const int MaxAttempts = 5;

    static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);

    readonly DamageLog _damages = context.Damages;
    Task _repairs = Task.CompletedTask;
    int _suspectedLosses;

    /// <summary>Starts to repair damaged records, unless a repair is in progress. Called on the commit loop, periodically.</summary>
    public void Start()
    {
        if (_suspectedLosses != context.Replica.SuspectedLosses)
        {
            // A document that has vanished from the storage would not be merged while it is in the cache.
            _suspectedLosses = context.Replica.SuspectedLosses;
            (context.Storage as CachedStorage)?.Clear();
        }
        bool isDue = _damages.Count > 0 || context.Replica.Uncounted.Any();
        if (isDue && _repairs.IsCompleted)
            _repairs = Task.Run(RepairAllAsync, CancellationToken.None);
    }

    /// <summary>Waits until the repair in progress has ended, because the store is closing.</summary>
    public Task StopAsync() => _repairs;

    async Task RepairAllAsync()
    {
        try
        {
            foreach (var key in _damages.Records)
            {
                if (await IsRightAsync(key).ConfigureAwait(false))
                    _damages.Remove(key);
                else
                    await RepairAsync(key).ConfigureAwait(false);
            }
            if (_damages.Count == 0)
                await CountAgainAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (context.Stopping.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException)
        {
            // The next reader of a damaged record finds it again.
        }
        catch (Exception e)
        {
            StoreLog.RepairFailed(context.Logger, e, context.Node.Id);
        }
    }

    async ValueTask RepairAsync(ReadOnlyMemory<byte> key)
    {
        int attempts = _damages.CountAttempt(key);
        if (attempts == 0)
            StoreLog.Damaged(context.Logger, context.Node.Id, context.Storage.Description, _damages.Describe(key.Span));
        if (disk is ChecksummedStorage checksummed && await checksummed.FindOriginalAsync(key, context.Stopping).ConfigureAwait(false) is { } original)
            await OnLoopAsync(batch => context.Replica.RestoreKeyAsync(batch, key, original)).ConfigureAwait(false);
        else if (context.Replica.NeedsAnswers(key.Span))
            await RepairDocumentAsync(key, isFinal: attempts >= MaxAttempts).ConfigureAwait(false);
        else
            await OnLoopAsync(batch => context.Replica.RepairAsync(batch, key)).ConfigureAwait(false);
        if (!await IsRightAsync(key).ConfigureAwait(false))
            return;
        _damages.Remove(key);
        StoreLog.Repaired(context.Logger, context.Node.Id, _damages.Describe(key.Span));
    }

    async ValueTask RepairDocumentAsync(ReadOnlyMemory<byte> key, bool isFinal)
    {
        var links = context.Links.All;
        var known = new VersionVector[links.Count];
        int others = 0;
        await OnLoopAsync(_ =>
        {
            var identity = context.Replica.Identity;
            others = identity.Members.Keys.Count(member => member != context.Node.Id && !identity.Forgotten.Contains(member));
            for (int i = 0; i < known.Length; i++)
                known[i] = context.Replica.KnownOf(links[i].Peer);
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
        var asked = await Task.WhenAll(links.Select((link, i) => AskAsync(link, known[i], key))).ConfigureAwait(false);
        DocumentAnswer[] answers = [.. asked.OfType<DocumentAnswer>()];
        IReadOnlyList<HlcTimestamp>? missing = null;
        await OnLoopAsync(async batch =>
        {
            if (!await IsRightAsync(batch.Snapshot, key).ConfigureAwait(false))
                missing = await context.Replica.RepairDocumentAsync(batch, key, answers, isFinal && answers.Length >= others).ConfigureAwait(false);
        }).ConfigureAwait(false);
        if (missing is { Count: > 0 })
            StoreLog.RepairedWithLoss(context.Logger, context.Node.Id, _damages.Describe(key.Span), string.Join(", ", missing));
    }

    async Task<DocumentAnswer?> AskAsync(PeerLink link, VersionVector known, ReadOnlyMemory<byte> key)
    {
        var keyspace = context.Replica.Catalog[StoreLayout.KeyspaceOf(key.Span)];
        using var deadline = new CancellationTokenSource(ReadTimeout, context.Node.TimeProvider);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.Stopping);
        try
        {
            var documents = await link.Reads.ReadAsync(keyspace.Name, [new DocumentKey(key[StoreLayout.DocumentPrefixLength..])], over.Token).ConfigureAwait(false);
            return new DocumentAnswer(known, documents[0]);
        }
        catch (Exception e) when (e is ReadFailedException or OperationCanceledException)
        {
            return null;
        }
    }

    async ValueTask CountAgainAsync()
    {
        foreach (var keyspace in context.Replica.Uncounted.ToArray())
            await OnLoopAsync(batch => context.Replica.CountAgainAsync(batch, keyspace, context.Stopping)).ConfigureAwait(false);
    }

    async ValueTask<bool> IsRightAsync(ReadOnlyMemory<byte> key)
    {
        using var snapshot = await context.Storage.OpenSnapshotAsync(context.Stopping).ConfigureAwait(false);
        return await IsRightAsync(snapshot, key).ConfigureAwait(false);
    }

    /// <summary>Returns true if a record is not damaged.</summary>
    static async ValueTask<bool> IsRightAsync(IStorageSnapshot snapshot, ReadOnlyMemory<byte> key)
    {
        try
        {
            await snapshot.GetAsync(key).ConfigureAwait(false);
            return true;
        }
        catch (StorageException e) when (e.Error == StorageError.Corrupt)
        {
            return false;
        }
    }

    async ValueTask OnLoopAsync(Func<ReplicaBatch, ValueTask> apply) => await context.Loop.RunAsync(async (batch, _) =>
    {
        await apply(batch).ConfigureAwait(false);
        return true;
    }, context.Stopping).ConfigureAwait(false);
}
