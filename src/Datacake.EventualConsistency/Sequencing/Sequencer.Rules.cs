using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

// The decisions that single rules make, each by itself, so that the simulator can break one and see whether it notices.
partial class Sequencer
{
    /// <summary>Gets the voter that a store is [S2]: the store itself, so that a replaced disk, which has forgotten its votes, is a different voter.</summary>
    protected virtual ulong VoterOf(ulong store) => store;

    /// <summary>Gets the number of voters that decide [S3]. Those that have forgotten their votes count until they are removed, and decide nothing [S9].</summary>
    protected virtual int Majority => (_log.Voters.Count / 2) + 1;

    /// <summary>Returns true if an entry that a majority has flushed is decided [S3]: one of an earlier epoch may still be lost to a later sequencer.</summary>
    protected virtual bool DecidesBy(ulong index) => _log.EpochAt(index) == Kept.Epoch;

    /// <summary>Returns true if an entry is applied by this sequencer, whoever made it [S4].</summary>
    protected virtual bool MustApply(SequenceEntry entry) => true;

    /// <summary>Returns true if the numbers that an entry was assigned are not assigned again [S4].</summary>
    protected virtual bool CountsNumbersOf(SequenceEntry entry) => true;

    /// <summary>Returns the last number of a sequence that is assigned [S4]: the one that the last entry with a number has recorded, so that a refused transaction takes none.</summary>
    protected virtual long LastAssigned(string sequence, long recorded) => recorded;

    /// <summary>True if requests are taken: everything that earlier sequencers have left is applied [S4].</summary>
    protected virtual bool TakesRequests => IsReady;

    /// <summary>Returns the last write of a document that waits, or null if there is none [S4].</summary>
    protected virtual DocumentOperation? FindWaiting(string keyspace, DocumentKey key) =>
        _writes.Find(keyspace, key)?.Operation;

    /// <summary>Gets the writes that wait, as ranges see them [S4].</summary>
    protected virtual WaitingWrites WritesInRanges => _writes;

    /// <summary>Gets the writes that wait, as unique indexes see them [S4].</summary>
    protected virtual WaitingWrites WritesInUniqueIndexes => _writes;

    /// <summary>
    /// Returns true if the outcomes of a lane may be forgotten [S8]: all members know of a later run of the caller's node, so that none of them takes a late copy of a request of the
    /// earlier run; or the store is retired, and all members know that.
    /// </summary>
    /// <param name="lane">The lane.</param>
    /// <param name="latest">The latest run of the caller's node that this store knows.</param>
    /// <param name="knownToAll">The stamps that all members know, forgotten ones, too.</param>
    protected virtual bool MayForget(CallerLane lane, HlcTimestamp latest, VersionVector knownToAll) =>
        (lane.Run < latest && knownToAll.OfNode(lane.Run.Node).Top >= latest) || (_replica.Identity.Retired.Contains(lane.Store) && AllKnowRetired);

    /// <summary>True if a refusal is put into the sequence, and told once it is decided [S8].</summary>
    protected virtual bool DecidesRefusals => true;

    /// <summary>True if the voters may be changed: the last change is decided, and so is an entry of this epoch [S9].</summary>
    protected virtual bool MayChangeVoters => IsReady && _log.LastVoters <= _decided;

    /// <summary>
    /// Returns true if a store follows, has taken entries of this epoch, and has what is decided, except for the last entries [S9]: under load, it never has all of them at the moment at which
    /// it is asked. It cannot decide anything before it has the rest.
    /// </summary>
    protected virtual bool IsCaughtUp(ulong store) => _progress.TryGetValue(store, out var progress) && progress.Match > 0 && progress.Match + _settings.MaxVoterLag >= _decided
        && progress.ContactAt is { } contact && Now - contact < 3 * Heartbeat;

    /// <summary>Returns true if a member that is not retired is absent, so that it may bring effects of the earlier sequence back after a recovery [S9].</summary>
    protected virtual bool MayReturn(byte node) => !_replica.Sessions.ContainsKey(node);

    /// <summary>Returns true if a store may have the vote of the present epoch: one epoch, one vote [S2].</summary>
    protected virtual bool MayVoteFor(ulong store) => Kept.Vote == 0 || Kept.Vote == store;

    /// <summary>True if a store has the effects of a token that a node has told in a session, once it knows the stamps of the token [S6].</summary>
    public virtual bool HoldsTokensOf(byte node, long session) => node == _replica.Node || _replica.IsOpen(node, session);

    /// <summary>Returns the token of a forced founding: all that the founder shows is what the sequence goes on from [S9].</summary>
    protected virtual VersionVector TokenOfFounding(ReplicaBatch batch) => batch.State.Known;

    /// <summary>True if a founder does not apply again what its store is past [S9].</summary>
    protected virtual bool DropsApplied => true;
}
