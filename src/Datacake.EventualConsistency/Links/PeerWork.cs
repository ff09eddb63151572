using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Links;

/// <summary>A message from a peer on its way through the commit loop.</summary>
sealed class PeerWork(SessionContext context, PeerLink link, ReplicaMessage message, int length) : CommitWork
{
    IReadOnlyList<StampInterval> _applied = [];

    public override bool MayUseReserve => message.MayUseReserve;

    public override bool NeedsDurability => message is not SequenceMessage;

    public override byte? Peer => link.Peer;

    public override void AddKeysTo(List<ReadOnlyMemory<byte>> keys, ReplicaBatch batch)
    {
        if (message is not Mutations mutations)
            return;
        foreach (var delta in mutations.Items.SelectMany(static mutation => mutation.Deltas))
        {
            if (batch.FindKeyspace(delta.Name.Keyspace) is { } keyspace)
                keys.Add(batch.KeyOf(keyspace, new DocumentKey(delta.Name.Key)));
        }
    }

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        var replica = context.Replica;
        if (message is RepairHint hint)
            Repair(batch, hint);
        else if (message is SequenceMessage sequence)
            await context.Sequencer.ReceiveAsync(batch, link.Peer, link.Session, sequence).ConfigureAwait(false);
        else
            _applied = await replica.ReceiveAsync(batch, link.Peer, link.Session, message, cancellationToken).ConfigureAwait(false);
    }

    public override void OnCommitted()
    {
        link.AddUnhandled(-length);
        if (_applied.Count > 0)
            link.Acknowledge(_applied);
        if (message is Report report && report.Peers.TryGetValue(link.Peer, out var known))
            context.Board.OnAcknowledged(link.Peer, known.Known[context.Replica.Node]);
    }

    public override void OnFailed(Exception failure)
    {
        link.AddUnhandled(-length);
        if (failure is InvalidDataException or ClockDriftException)
            link.End(LinkEnd.OfInvalid(failure));
        else if (failure is not ObjectDisposedException)
            StoreLog.MessageDropped(context.Logger, failure, message.GetType().Name, link.Peer);
    }

    void Repair(ReplicaBatch batch, RepairHint hint)
    {
        if (context.Replica.IsOpen(link.Peer, link.Session))
            ReadRepairWork.Pull(context.Replica, batch, hint.Source);
    }
}
