using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// The orderly departure of a store from its cluster [R22].
sealed partial class Replica
{
    readonly Dictionary<byte, long> _askedIn = [];      // the session in which each node was asked in this process
    bool _isLeaving;

    /// <summary>
    /// True if this store leaves: it writes nothing and takes nothing, so that it acknowledges nothing that others were not found to have. It still answers.
    /// </summary>
    public bool IsLeaving => _isLeaving || Identity.AskedToLeave.Count > 0;

    /// <summary>Makes this store leave. What it knows does not change from here on.</summary>
    public void BeginLeaving()
    {
        _isLeaving = true;
        _puller.EndAll();
    }

    /// <summary>
    /// Makes this store a member like any other again. If a peer was asked to retire it, that waits until the peer has begun another session: until then it may do so, and what this store
    /// wrote meanwhile would be lost.
    /// </summary>
    public void Stay()
    {
        _isLeaving = false;
        foreach (byte peer in Identity.AskedToLeave.Where(IsAskedInSession).ToArray())
            EndSession(peer, RefusalReasons.StaysAfterAll(Node));
    }

    /// <summary>Notes that a peer has begun a session: what an earlier one has brought, it ignores.</summary>
    void OnBeganSession(byte peer)
    {
        if (Identity.AskedToLeave.Contains(peer) && !IsAskedInSession(peer))
            Identity.IsDirty |= Identity.AskedToLeave.Remove(peer);
    }

    bool IsAskedInSession(byte peer) => Sessions.TryGetValue(peer, out var session) && _askedIn.TryGetValue(peer, out long asked) && asked == session.Id;

    /// <summary>Gives up waiting for peers that are no longer members.</summary>
    void ForgetAsked() => Identity.IsDirty |= Identity.AskedToLeave.RemoveWhere(peer => !Identity.Members.ContainsKey(peer)) > 0;

    /// <summary>Gets the members other than this store that are not retired.</summary>
    public IEnumerable<byte> OtherMembers => Identity.Members.Where(member => member.Key != Node && member.Value.HasJoined).Select(static member => member.Key);

    /// <summary>Returns the peers in session that are known to have all that this store has.</summary>
    public IReadOnlyList<byte> PeersThatKnow(VersionVector known) => [.. OtherMembers.Where(peer => Sessions.ContainsKey(peer) && KnownOf(peer).Covers(known))];

    /// <summary>Returns true if this node has operator keys, so that a store that leaves needs an operator's proof.</summary>
    public bool NeedsProofToLeave => _proofs.AreNeeded;

    /// <summary>Checks the operator's proof for this store.</summary>
    /// <exception cref="ArgumentException">The proof is not valid.</exception>
    public void CheckProofToLeave(ReadOnlyMemory<byte> proof) => ThrowIfInvalid(Identity.StoreId, proof);

    /// <summary>
    /// Asks a peer that has all that this store has to retire it: one, because whoever was asked has to answer if this store stays after all. That is recorded before it is sent.
    /// </summary>
    /// <param name="batch">The batch whose outbox receives the request.</param>
    /// <param name="proof">An operator's proof that the store is retired; empty where none is needed.</param>
    /// <param name="turn">The number of peers that were asked before, and have not answered.</param>
    public void AskToLeave(ReplicaBatch batch, ReadOnlyMemory<byte> proof, int turn)
    {
        byte[] peers = [.. PeersThatKnow(batch.State.Known).Where(peer => Sessions[peer].Protocol.HasLeaving)];
        if (peers.Length == 0)
            return;
        byte peer = peers[turn % peers.Length];
        Identity.IsDirty |= Identity.AskedToLeave.Add(peer);
        _askedIn[peer] = Sessions[peer].Id;
        batch.Outbox.Add(new Outgoing(peer, Sessions[peer].Id, new LeaveRequest(batch.State.Known, proof)));
    }

    /// <summary>Returns the error of a write to a store that leaves. It may yet stay.</summary>
    public static TimeoutException NewLeavingError(byte node) => new(
        $"The store of node {node} is being released, and accepts no writes meanwhile. Nothing was written. Write at another node that holds the store, or retry: if the release fails, the store accepts writes again.");

    /// <summary>
    /// Retires the store of a peer that asks for it, unless this store lacks something that the peer has, or leaves itself: two that let each other go would leave nothing behind. Then the
    /// request is not answered, and the peer repeats it, here or elsewhere.
    /// </summary>
    /// <exception cref="InvalidDataException">The proof is not one that this node accepts.</exception>
    void OnLeaveRequest(ReplicaBatch batch, byte peer, LeaveRequest request)
    {
        if (!IsJoined || IsLeaving || Exclusion is not null || !batch.State.Known.Covers(request.Known) || Members.StoreOf(Identity.Members, peer) != Sessions[peer].StoreId)
            return;
        try
        {
            Retire(peer, request.Proof);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"Node {peer} asks to be released, with a proof that node {Node} does not accept: {e.Message}", e);
        }
    }
}
