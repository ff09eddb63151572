using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Consumers;

namespace Datacake.Data.Consuming;

/// <summary>The position of a durable consumer in one term: claimed at its beginning, and then saved as long as nobody else has claimed it.</summary>
sealed class ConsumerPosition(ReplicatedStore store, ConsumerName name, long token)
{
    ConsumerRecord? _record;

    /// <summary>Gets the transactions that are processed; while the consumer loads, those that need not be processed afterwards.</summary>
    public VersionVector Saved => Record.Position;

    /// <summary>Gets the key of the last entity that is loaded, which is empty at first; null if the consumer does not load.</summary>
    public ReadOnlyMemory<byte>? LoadedUpTo => Record.LoadedUpTo;

    ConsumerRecord Record => _record ?? throw new InvalidOperationException($"The position of the consumer {name} is not claimed yet. Claim it first.");

    /// <summary>Reads the position, and makes it this term's own. Any later write of an earlier term fails.</summary>
    /// <param name="skipsExisting">True if a new consumer begins with the next change.</param>
    /// <param name="cancellationToken">Cancels the claim.</param>
    public async Task ClaimAsync(bool skipsExisting, CancellationToken cancellationToken)
    {
        ConsumerRecord claimed;
        ConsumerRecord? before;
        do
        {
            before = await store.ReadConsumerAsync(name.Key, cancellationToken).ConfigureAwait(false);
            if (before?.Token > token)
                throw TakenOver();
            // The empty position of a new consumer keeps the whole log. A position that was read before this write might be truncated by now.
            claimed = before is { Position.IsEmpty: false }
                ? new ConsumerRecord(token, before.Position, before.LoadedUpTo)
                : new ConsumerRecord(token, VersionVector.Empty, ReadOnlyMemory<byte>.Empty);
        }
        while (!await store.WriteConsumerAsync(name.Key, before, claimed, cancellationToken).ConfigureAwait(false));
        _record = claimed;
        if (Saved.IsEmpty)
        {
            var present = await ReadPresentAsync(cancellationToken).ConfigureAwait(false);
            await SaveAsync(present, skipsExisting ? default(ReadOnlyMemory<byte>?) : ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Saves a position.</summary>
    /// <exception cref="InvalidOperationException">Another node has taken over the consumer, or its position was deleted. Nothing was saved.</exception>
    public async Task SaveAsync(VersionVector position, ReadOnlyMemory<byte>? loadedUpTo, CancellationToken cancellationToken)
    {
        var next = new ConsumerRecord(token, position, loadedUpTo);
        if (next.Hash == Record.Hash)
            return;
        if (!await store.WriteConsumerAsync(name.Key, _record, next, cancellationToken).ConfigureAwait(false))
            throw TakenOver();
        _record = next;
    }

    /// <summary>Saves that all entities have to be loaded again.</summary>
    public async Task ResetAsync(CancellationToken cancellationToken) =>
        await SaveAsync(await ReadPresentAsync(cancellationToken).ConfigureAwait(false), ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);

    async Task<VersionVector> ReadPresentAsync(CancellationToken cancellationToken)
    {
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return (await snapshot.GetPositionAsync(cancellationToken).ConfigureAwait(false)).Known!;
    }

    InvalidOperationException TakenOver() => new(
        $"The position of the consumer {name} was not saved, because another node has taken over the consumer, or the consumer was deleted. What this node has processed since the last "
            + "saved position is processed again.");
}
