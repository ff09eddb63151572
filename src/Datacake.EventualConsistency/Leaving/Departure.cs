using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.EventualConsistency.Leaving;

/// <summary>
/// The orderly departure of a store from its cluster [R22]: it waits until enough others have what it has, gives up its vote, takes nothing more, waits for them again, and then asks
/// one of them to retire it. A state machine; each step is made in a batch, and repeated until the store is retired.
/// </summary>
/// <param name="replica">The replica that leaves.</param>
/// <param name="sequencer">Its sequencer; null if there are no serial transactions.</param>
/// <param name="required">Returns the number of other members that must have everything, by the number of all others.</param>
/// <param name="proof">An operator's proof that the store is retired; empty where none is needed.</param>
class Departure(Replica replica, Sequencer? sequencer, Func<int, int> required, ReadOnlyMemory<byte> proof)
{
    /// <summary>The number of times that a member is asked before another one is.</summary>
    const int AsksOfOne = 10;

    VersionVector? _first;          // what the store had at the first step; it may write on meanwhile
    bool _isLeaving;
    bool _isCanceled;
    int _asks;

    /// <summary>True if the store is no longer a member.</summary>
    public bool IsOver => replica.Exclusion is { Kind: RefusalKind.Retired };

    /// <summary>Gets the reason why the store has not left yet, as of the last step, as a clause.</summary>
    public string Obstacle { get; private set; } = "it has just begun";

    /// <summary>Does what can be done at present, and asks for what is missing.</summary>
    public void Step(ReplicaBatch batch)
    {
        if (IsOver || _isCanceled)
            return;
        _first ??= batch.State.Known;
        if (!_isLeaving && MayGoOn(_first))
        {
            if (HasNoVote)
                Leave();
            else
                GiveUpVote(batch);
        }
        else if (_isLeaving && MayGoOn(batch.State.Known))
        {
            Obstacle = "no member has confirmed yet that it has let the store go";
            replica.AskToLeave(batch, proof, _asks++ / AsksOfOne);
        }
        // A roll call with nonce 0 belongs to no roll, and is answered with an ordinary report.
        foreach (var (peer, session) in replica.Sessions)
            batch.Outbox.Add(new Outgoing(peer, session.Id, new RollCall(0)));
    }

    /// <summary>Makes the store a member like any other again, unless it was let go already.</summary>
    public void Cancel()
    {
        _isCanceled = true;
        if (sequencer is not null)
            sequencer.GivesUpVote = false;
        replica.Stay();
    }

    /// <summary>Gives up the vote, but not before the store can leave otherwise: a voter that is gone is one fewer that may be lost.</summary>
    void GiveUpVote(ReplicaBatch batch)
    {
        Obstacle = "it is a voter for serial transactions, and the sequencer has not removed it: a majority of the voters must be up, and so must be a majority of those that remain";
        sequencer!.GivesUpVote = true;
        sequencer.TellVote(batch);
    }

    void Leave()
    {
        _isLeaving = true;
        if (TakesNothing)
            replica.BeginLeaving();
    }

    /// <summary>True if the store takes and acknowledges nothing while it leaves.</summary>
    protected virtual bool TakesNothing => true;

    /// <summary>True if the store is no voter, so that the others can still decide without it.</summary>
    protected virtual bool HasNoVote => sequencer is null or { HasNoVote: true };

    /// <summary>Returns true if enough other members have what this store has.</summary>
    protected virtual bool MayGoOn(VersionVector known)
    {
        byte[] others = [.. replica.OtherMembers];
        int needed = required(others.Length);
        var peers = replica.PeersThatKnow(known);
        if (others.Length > 0 && peers.Count >= needed)
            return true;
        byte[] lacking = [.. others.Except(peers)];
        Obstacle = others.Length == 0
            ? "it is the only member"
            : $"{peers.Count} of the {needed} other members that must have everything confirm that they do; these do not, or are not connected: {string.Join(", ", lacking)}";
        return false;
    }
}
