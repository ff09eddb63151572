using Datacake.Crdt;
using Datacake.EventualConsistency.Consumers;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

// The positions of durable consumers. Serial transactions write them, so that a former owner of a consumer cannot overwrite the position of the next one.
public sealed partial class ReplicatedStore
{
    /// <summary>The maximum number of consumers that a list of them has.</summary>
    const int MaxListedConsumers = 1_000;

    /// <summary>Gets the identity of the cluster that the store belongs to, once it has joined.</summary>
    internal ulong Cluster => _replica.Identity.Cluster;

    /// <summary>Returns the durable consumers of the store, each with the time of the last transaction that it has processed, and whether it still loads what existed before.</summary>
    internal async ValueTask<IReadOnlyList<(DocumentKey Key, DateTimeOffset ProcessedUpTo, bool IsLoading)>> ListConsumersAsync(CancellationToken cancellationToken)
    {
        if (_replica.Catalog.Find(ConsumerRecord.Keyspace) is null)
            return [];
        var consumers = new List<(DocumentKey, DateTimeOffset, bool)>();
        using var snapshot = await OpenPresentSnapshotAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (key, document) in await snapshot.ScanAsync(ConsumerRecord.Keyspace, KeyRange.All, ScanDirection.Forward, MaxListedConsumers, cancellationToken).ConfigureAwait(false))
        {
            if (ConsumerRecord.Of(document) is { } consumer)
                consumers.Add((key, consumer.Position.Top.Time, consumer.LoadedUpTo is not null));
        }
        return consumers;
    }

    /// <summary>Declares the keyspace of the positions.</summary>
    internal ValueTask DeclareConsumersAsync(CancellationToken cancellationToken) =>
        DeclareAsync(new KeyspaceDeclaration(ConsumerRecord.Keyspace, MergePolicy.Serial, []), cancellationToken);

    /// <summary>Reads the record of a consumer as of now; null if there is none.</summary>
    internal async ValueTask<ConsumerRecord?> ReadConsumerAsync(DocumentKey key, CancellationToken cancellationToken) =>
        ConsumerRecord.Of((await ReadAsync(ConsumerRecord.Keyspace, [key], Consistency.Serial, cancellationToken).ConfigureAwait(false))[0]);

    /// <summary>Replaces the record of a consumer, or deletes it. Returns false if it is no longer as the caller has seen it, and then nothing was written.</summary>
    /// <remarks>An unknown outcome needs no care: the next owner writes the record, after which the lost write cannot take effect.</remarks>
    internal async ValueTask<bool> WriteConsumerAsync(DocumentKey key, ConsumerRecord? before, ConsumerRecord? after, CancellationToken cancellationToken)
    {
        var transaction = new Transaction();
        if (after is null)
            transaction.Delete(ConsumerRecord.Keyspace, key);
        else
            transaction.Put(ConsumerRecord.Keyspace, key, after.Content);
        try
        {
            await CommitSerialAsync(new SerialTransaction(transaction, [new SerialCondition(ConsumerRecord.Keyspace, key, before?.Hash)]), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SerialConflictException)
        {
            return false;
        }
    }

    /// <summary>Waits until this store has all transactions of a position, but not longer than a time. Returns false if it lacks some.</summary>
    internal async ValueTask<bool> WaitForPositionAsync(VersionVector position, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, _node.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await _parts.Waiters.WaitAsync(() => _membership.Current.Known.Covers(position), either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
