using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

// What the sequencer of serial transactions needs of the replica.
sealed partial class Replica
{
    /// <summary>Issues a stamp for <see cref="WriteSerialAsync"/>. It need not be used.</summary>
    public HlcTimestamp IssueStamp() => _run.Tick();

    /// <summary>Returns the last stamp of this run that a batch, or the store, has a transaction for; the run itself if there is none.</summary>
    public HlcTimestamp LastWritten(ReplicaBatch batch) => batch.LastWritten.IsNone ? _run.Last : batch.LastWritten;

    /// <inheritdoc cref="LocalWriter.WriteSerialAsync"/>
    public ValueTask WriteSerialAsync(ReplicaBatch batch, Transaction transaction, HlcTimestamp stamp) => _writer.WriteSerialAsync(batch, transaction, stamp);

    /// <summary>Makes all stamps that are issued from now on greater than a limit [S5].</summary>
    public void AdvanceClock(HlcTimestamp limit) => _clock.AdvanceTo(limit);

    /// <inheritdoc cref="Members.KnownToAll"/>
    public VersionVector KnownToAll(ReplicaState state) => _members.KnownToAll(state.Known);

    /// <summary>Gets the greatest stamp that was issued or observed.</summary>
    public HlcTimestamp LastStamp => _clock.Last;
}
