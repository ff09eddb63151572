using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that applies or declines the live mutations of its peers [R7], and refuses those that no correct peer can have
/// made [R19].
/// </summary>
/// <remarks>See PROTOCOL.md: decline.</remarks>
/// <param name="clock">The clock of the replica.</param>
/// <param name="members">The members, with their known sets.</param>
/// <param name="escrow">The rules for the rights to bounded counters.</param>
sealed class MutationReceiver(HybridLogicalClock clock, Members members, EscrowRules escrow)
{
    readonly List<ReadOnlyMemory<byte>> _keys = [];                 // of the transaction that is being applied

    /// <summary>Applies or declines a mutation of a peer. A declined mutation is not claimed, and comes with a later pull.</summary>
    /// <returns>True if the batch or the store has the mutation, so that it can be acknowledged.</returns>
    /// <exception cref="InvalidDataException">The peer cannot have made the mutation.</exception>
    /// <exception cref="ClockDriftException">The stamp of the mutation is too far ahead.</exception>
    public async ValueTask<bool> TryApplyAsync(ReplicaBatch batch, byte peer, Mutation mutation, bool isJoined)
    {
        Check(batch, peer, mutation);
        clock.Observe(mutation.Stamp);
        if (!isJoined)
            return false;
        if (batch.Knows(mutation.Stamp))
            return true;
        if (mutation.Stamp <= batch.Truncated.Top
            || !(members.Heard.TryGetValue(peer, out var heard) && heard.Known.Covers(batch.Truncated)))
            return false;

        _keys.Clear();
        bool mayPurge = false;
        for (int i = 0; i < mutation.Deltas.Length; i++)
        {
            var delta = mutation.Deltas[i];
            _keys.Add(batch.KeyOf(delta.Name));
            var current = await batch.ReadAsync(_keys[i]).ConfigureAwait(false);
            if (current.Born < delta.Base)
                return false;
            // A share may be based on rights that this replica has not heard of yet [E4].
            if (BoundedCounter.HasAny(delta.Document) && !escrow.IsGrounded(Document.Merge(current, delta.Document)))
                return false;
            mayPurge |= delta.MayPurge;
        }
        for (int i = 0; i < _keys.Count; i++)
        {
            var document = mutation.Deltas[i].Document;
            if (!document.Born.IsNone)
                batch.NoteReplaced(_keys[i], await batch.ReadAsync(_keys[i]).ConfigureAwait(false), document);
            await batch.MergeAsync(_keys[i], document).ConfigureAwait(false);
        }
        batch.Claim(peer, mutation.Previous, mutation.Stamp);
        batch.Note(peer, heard.Run);
        batch.AddLog(mutation.Previous, mutation.Stamp, CollectionsMarshal.AsSpan(_keys), mayPurge);
        return true;
    }

    static void Check(ReplicaBatch batch, byte peer, Mutation mutation)
    {
        var stamp = mutation.Stamp;
        if (stamp.Node != peer || mutation.Previous >= stamp || mutation.Previous.Node != peer)
            throw new InvalidDataException($"Node {peer} sent a transaction ({mutation.Previous}, {stamp}] that is not its own.");
        foreach (var (name, _, document) in mutation.Deltas)
        {
            bool isOfStamp = IsOrNone(document.Born, stamp) && IsOrNone(document.Touched, stamp) && IsOrNone(document.Died, stamp);
            foreach (var cell in document.Cells)
                isOfStamp &= cell.Stamp == stamp;
            Assertion.Find(document);
            if (!isOfStamp)
                throw new InvalidDataException($"Node {peer} sent the transaction {stamp}, which writes to '{name.Keyspace}' under another stamp.");
            CheckSerial(batch, peer, name, document);
        }

        static bool IsOrNone(HlcTimestamp found, HlcTimestamp expected) => found.IsNone || found == expected;
    }

    /// <summary>
    /// Checks that a serial document is written as a whole, by a peer that holds it for serial, too [S1, S10]. Anything else comes from a peer whose application declares the
    /// keyspace otherwise: it would change the document beside the sequence.
    /// </summary>
    static void CheckSerial(ReplicaBatch batch, byte peer, DocumentName name, Document document)
    {
        var policy = batch.FindKeyspace(name.Keyspace)?.Policy ?? name.Policy;
        if (policy != MergePolicy.Serial && name.Policy != MergePolicy.Serial)
            return;
        if (policy != name.Policy)
        {
            throw new InvalidDataException(
                $"Node {peer} wrote to the keyspace '{name.Keyspace}', which is {name.Policy} there and {policy} here. A keyspace is serial or merging for life: declare it alike on all nodes.");
        }
        bool isDelete = document.Born.IsNone && !document.Died.IsNone;
        bool isPut = !document.Born.IsNone && document.Died.IsNone;
        foreach (var cell in document.Cells)
        {
            isDelete = false;
            isPut &= cell.Kind is not (DocumentPathKind.CounterShare or DocumentPathKind.Assertion);
        }
        if (!document.Touched.IsNone || !document.Expires.IsNone || !(isPut || isDelete))
        {
            throw new InvalidDataException(
                $"Node {peer} changed a part of a document of the serial keyspace '{name.Keyspace}'. Only serial transactions write there, and they write whole documents. Update node {peer}.");
        }
    }
}
