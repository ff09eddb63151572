using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Transactions;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

/// <summary>A broken rule of serial transactions, which forges the messages between sequencers.</summary>
abstract class SequenceMutant(string rule) : Mutant(rule)
{
    public override string? Theme => "serial";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is SequenceMessage sequence ? Forge(source, SequencingMessage.Decode(sequence)).Wrap() : message;

    protected abstract SequencingMessage Forge(Machine source, SequencingMessage message);
}

/// <summary>The mutant in which nothing of the sequence is flushed before it is told.</summary>
sealed class SequenceIsNotFlushed() : Mutant("S2, S3: votes and entries are told before they are flushed")
{
    public override string? Theme => "serial";

    public override MachineFlaws Flaws => MachineFlaws.None with { NeverFlushes = true };
}

/// <summary>The mutant in which a restored store is still the voter that it was.</summary>
sealed class RestoredStoresVote() : Mutant("S9: a store that is restored from an older copy votes, although it has forgotten its votes")
{
    public override string? Theme => "serial";

    public override MachineFlaws Flaws => MachineFlaws.None with { RestoredStoresVote = true };
}

/// <summary>The mutant in which a member that comes back with serial documents that were deleted meanwhile keeps them.</summary>
sealed class SerialDocumentsReturn() : Mutant("S10: a reconcile keeps the serial documents that the other side has deleted under another stamp")
{
    public override string? Theme => "superseded";

    // The other side seems to have a gap in the sequence, so that what it lacks is kept.
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message is SnapshotPage page && target.IsJoined
        ? page with
        {
            Documents = [.. page.Documents.Select(document => document.Name.Keyspace == SerialPosition.Keyspace && document.Name.Key.Span.SequenceEqual(SerialPosition.Key.Encoded.Span)
                ? document with { Document = Document.Put(document.Document.Born, SerialPosition.ToContent(target.Replica!.State.Known.Except(page.State.Known))) }
                : document)],
        }
        : message;
}

sealed class VotesForAnyone() : SequenceMutant("S2: who has fewer entries gets the vote")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) =>
        message is VoteRequest request ? request with { Last = ulong.MaxValue, LastEpoch = ulong.MaxValue } : message;
}

sealed class VotesAreNotCounted() : SequenceMutant("S2: a refusal counts as a vote")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) =>
        message is VoteReply { IsGranted: false } reply ? reply with { IsGranted = true } : message;
}

sealed class NoLimits() : SequenceMutant("S5: a new sequencer does not start above the stamps of the earlier one")
{
    public override string? Theme => "sequencers in turn";

    protected override SequencingMessage Forge(Machine source, SequencingMessage message) => message switch
    {
        VoteReply reply => reply with { Limit = HlcTimestamp.None },
        AppendRequest request => request with { Status = request.Status with { Limit = HlcTimestamp.None } },
        AppendReply reply => reply with { Limit = new HlcTimestamp(ulong.MaxValue) },
        _ => message,
    };
}

sealed class DropsUnknownEffects() : SequenceMutant("S6: entries are dropped before their effects are known")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) => message switch
    {
        AppendRequest request => request with { Status = request.Status with { Token = VersionVector.Empty } },
        BaseNotice notice => notice with { Status = notice.Status with { Token = VersionVector.Empty } },
        _ => message,
    };
}

sealed class ReadsWithoutRound() : SequenceMutant("S7: a barrier is answered without asking a majority")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) =>
        message is AppendReply reply ? reply with { Round = ulong.MaxValue } : message;
}

sealed class TokensOfOne() : SequenceMutant("S7: the token names the stamps of the last sequencer alone")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) => message switch
    {
        SequencerReply reply => reply with { Token = reply.Token.OfNode(source.Node) },
        AppendRequest request => request with { Status = request.Status with { Token = request.Status.Token.OfNode(source.Node) } },
        BaseNotice notice => notice with { Status = notice.Status with { Token = notice.Status.Token.OfNode(source.Node) } },
        _ => message,
    };
}

sealed class RetriesAreNew() : SequenceMutant("S8: a transaction that is sent again is not recognized")
{
    ulong _number = 1UL << 32;

    protected override SequencingMessage Forge(Machine source, SequencingMessage message) =>
        message is CommitRequest request ? request with { Id = request.Id with { Number = ++_number } } : message;
}

sealed class AcknowledgesUnseen() : SequenceMutant("S3: entries are acknowledged that were not received")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) =>
        message is AppendReply reply ? reply with { Match = ulong.MaxValue, IsTaken = true } : message;
}

sealed class ConditionsAreNotChecked() : SequenceMutant("S4: a condition that does not hold is let through")
{
    protected override SequencingMessage Forge(Machine source, SequencingMessage message) =>
        message is CommitRequest request ? request with { Proposal = request.Proposal with { Conditions = [], Ranges = [] } } : message;
}

/// <summary>A broken decision of the sequencer itself.</summary>
abstract class SequencerMutant(string rule, Func<SequencerSettings, Replica, SequenceLog, Sequencer> create, string theme = "voters") : Mutant(rule)
{
    public override string? Theme => theme;

    public override MachineFlaws Flaws => MachineFlaws.None with { NewSequencer = create };
}

sealed class DecidesOldEpochs() : SequencerMutant(
    "S3: entries of an earlier epoch are decided by acknowledgments alone", static (settings, replica, log) => new Broken(settings, replica, log), "sequencers in turn")
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool DecidesBy(ulong index) => true;
    }
}

sealed class DoesNotApplyAgain() : SequencerMutant(
    "S4: a new sequencer does not apply what it inherits", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool MustApply(SequenceEntry entry) => entry.Epoch == State.Epoch;
    }
}

sealed class TakesRequestsAtOnce() : SequencerMutant(
    "S4, S7: requests are taken before what was inherited is applied", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool TakesRequests => Role == SequencerRole.Sequencer;
    }
}

sealed class ChecksStoreAlone() : SequencerMutant(
    "S4: conditions are checked without the entries that wait", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override DocumentOperation? FindWaiting(string keyspace, DocumentKey key) => null;
    }
}

sealed class RangesIgnoreWaiting() : SequencerMutant(
    "S4: ranges are checked without the entries that wait", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override WaitingWrites WritesInRanges => WaitingWrites.None;
    }
}

sealed class UniqueIndexesIgnoreWaiting() : SequencerMutant(
    "S4: unique values are checked without the entries that wait", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override WaitingWrites WritesInUniqueIndexes => WaitingWrites.None;
    }
}

sealed class NumbersAreNotInherited() : SequencerMutant(
    "S4: a new sequencer assigns the numbers of what it inherits again", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool CountsNumbersOf(SequenceEntry entry) => entry.Epoch == State.Epoch;
    }
}

sealed class RefusalsTakeNumbers() : SequencerMutant(
    "S4: a refused transaction uses up a number", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        readonly Dictionary<string, long> _taken = [];

        protected override long LastAssigned(string sequence, long recorded)
        {
            long last = Math.Max(recorded, _taken.GetValueOrDefault(sequence));
            _taken[sequence] = last + 1;
            return last;
        }
    }
}

sealed class RefusalsAreNotDecided() : SequencerMutant(
    "S8: a refusal is told at once, and not kept", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool DecidesRefusals => false;
    }
}

sealed class OutcomesExpire() : SequencerMutant(
    "S8: outcomes are forgotten after some time, rather than when nobody can ask for them", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool MayForget(CallerLane lane, HlcTimestamp latest, VersionVector knownToAll) => true;
    }
}

sealed class ReplacedStoresVote() : SequencerMutant(
    "S2: a fresh store votes in the place of an earlier one of its node", static (settings, replica, log) => new Broken(settings, replica, log), "replaced voters")
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        readonly Replica _replica = replica;

        protected override ulong VoterOf(ulong store) =>
            _replica.Identity.Members.FirstOrDefault(member => member.Value.StoreId == store) is { Key: not 0 } member ? (1UL << 32) + member.Key : store;
    }
}

sealed class MinorityDecides() : SequencerMutant(
    "S3, S7: what a minority of the voters has flushed is decided, and read", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override int Majority => 1;
    }
}

sealed class ChangesVotersAtOnce() : SequencerMutant(
    "S9: a change of voters begins before the last is decided", static (settings, replica, log) => new Broken(settings, replica, log), "serial")
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool MayChangeVoters => Role == SequencerRole.Sequencer;
    }
}

sealed class AddsVotersThatLag() : SequencerMutant(
    "S9: a voter is added before it has what is decided", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool IsCaughtUp(ulong store) => true;
    }
}

sealed class AbsentMembersReturn() : SequencerMutant(
    "S9: the sequence is founded anew although lost voters may come back", static (settings, replica, log) => new Broken(settings, replica, log), "lost voters")
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool MayReturn(byte node) => false;
    }
}

sealed class VotesExpire() : SequencerMutant(
    "S2: a store votes twice in an epoch, as if its vote had expired", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool MayVoteFor(ulong store) => true;
    }
}

sealed class TokensOutliveSessions() : SequencerMutant(
    "S6: a token counts after the session in which it was told, although its stamps may be lost", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        public override bool HoldsTokensOf(byte node, long session) => true;
    }
}

sealed class FoundersForget() : SequencerMutant(
    "S9: the token of a founder names less than it shows", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override VersionVector TokenOfFounding(ReplicaBatch batch) => State.Token;
    }
}

sealed class FoundingsTear() : SequencerMutant(
    "S9: a founder applies again what its store is past", static (settings, replica, log) => new Broken(settings, replica, log))
{
    sealed class Broken(SequencerSettings settings, Replica replica, SequenceLog log) : Sequencer(settings, replica, log)
    {
        protected override bool DropsApplied => false;
    }
}
