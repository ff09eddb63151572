using System.Collections.ObjectModel;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The members as a replica knows them: who they are and who is retired [R6], and what each is known to have, from which follows what is stable [R10].
/// </summary>
/// <remarks>
/// What is heard of a member is that of the life of its disk that the member table names. A member that has not joined yet has no run, is not heard of, and
/// so counts as knowing nothing, which pauses truncation.
/// </remarks>
/// <param name="self">The node whose replica it is.</param>
/// <param name="identity">The identity of the store, which has the member table.</param>
/// <param name="proofs">Decides which retirements are believed.</param>
sealed class Members(byte self, ReplicaIdentity identity, RetirementProofs proofs)
{
    readonly Dictionary<byte, PeerKnowledge> _heard = [];       // of each other member, whoever has said it
    readonly Dictionary<byte, PeerKnowledge> _said = [];        // what each has said itself

    /// <summary>The newest known set of each other member that was heard of.</summary>
    public IReadOnlyDictionary<byte, PeerKnowledge> Heard => _heard;

    /// <summary>Returns the other members with whom there is no session.</summary>
    public IEnumerable<byte> Absent(IReadOnlyDictionary<byte, Session> sessions) =>
        identity.Members.Keys.Where(member => member != self && !sessions.ContainsKey(member));

    /// <summary>Returns what every member that is waited for is known to have.</summary>
    public VersionVector Stable(VersionVector known)
    {
        var stable = known;
        foreach (byte member in identity.Members.Keys)
        {
            if (member != self && !identity.Forgotten.Contains(member))
                stable = stable.Intersect(KnownOf(member));
        }
        return stable;
    }

    /// <summary>Returns true if a member is known to have joined.</summary>
    public bool HasRun(byte member) => _heard.ContainsKey(member);

    /// <summary>Returns the last run of a member that it has said itself, or none.</summary>
    public HlcTimestamp RunOf(byte member) => _said.GetValueOrDefault(member).Run;

    /// <summary>Returns the run of a member whose knowledge counts, whoever has said it, or none.</summary>
    public HlcTimestamp HeardRunOf(byte member) => _heard.GetValueOrDefault(member).Run;

    /// <summary>Returns what a member is known to have.</summary>
    public VersionVector KnownOf(byte member) => _heard.TryGetValue(member, out var heard) ? heard.Known : VersionVector.Empty;

    /// <summary>Returns true if the peer of a session may have joined over a store that is retired.</summary>
    public bool MayBeStray(Session session) => session.Ancestors.Any(identity.Retired.Contains);

    /// <summary>
    /// Returns true if a store would take the place of another that is known under its node id and may have what exists nowhere else: that is not for a mere hello to
    /// decide [R19].
    /// </summary>
    /// <remarks>
    /// A store that is not known to have joined may have done so while this node was away; but one that has joined goes before it, and a node that has not joined
    /// itself does not decide.
    /// </remarks>
    public bool IsTaken(Hello hello, bool isJoined) => !hello.TakesOver && identity.Members.TryGetValue(hello.Node, out var known) && known.StoreId != hello.StoreId
        && !known.IsVolatile && !hello.Table.Retired.ContainsKey(known.StoreId) && (known.HasJoined || (isJoined && hello.Run.IsNone));

    /// <summary>
    /// Retires the store that a member is known by, if it says hello with another: the disk was replaced. One that gives way for another reason may be the right one, and
    /// is only no longer counted.
    /// </summary>
    public void RetireReplaced(Hello hello)
    {
        if (!identity.Members.TryGetValue(hello.Node, out var knownAs) || knownAs.StoreId == hello.StoreId)
            return;
        if (hello.TakesOver || knownAs.IsVolatile)
        {
            identity.Retired.Add(knownAs.StoreId, proof: default);
            identity.Ancestors.Remove(knownAs.StoreId);
        }
        Drop(hello.Node);
    }

    /// <summary>Takes the sender of a hello, with whom a session opens, as a member that is no longer forgotten.</summary>
    public void Admit(Hello hello)
    {
        var members = identity.Members;
        bool hadJoined = members.TryGetValue(hello.Node, out var before) && before.StoreId == hello.StoreId && before.HasJoined;
        members[hello.Node] = new StoreMember(hello.StoreId, hello.DataCenter, hadJoined || !hello.Run.IsNone, hello.IsVolatile, hello.TakesOver);
        identity.Forgotten.Remove(hello.Node);
        identity.IsDirty = true;
        if (!hello.Run.IsNone)
            HearItself(hello.Node, new PeerKnowledge(hello.Run, hello.Known));
    }

    /// <summary>Takes what a peer reports to have heard of all members: of those with whom there is a session, only what they say themselves.</summary>
    public void Hear(byte peer, Report report, IReadOnlyDictionary<byte, Session> sessions)
    {
        foreach (var (member, heard) in report.Peers)
        {
            // What others have heard of this replica must not come back as a report on itself, nor what an earlier life of a disk knew count for the
            // disk that has replaced it.
            if (member == self || StoreOf(report.Table.Members, member) is not { } store || store != StoreOf(identity.Members, member))
                continue;
            if (member != peer && !sessions.ContainsKey(member))
                Hear(member, heard);
            // A report of an earlier run that comes late says nothing of the present one.
            else if (member == peer && heard.Run >= RunOf(member))
                HearItself(member, heard);
        }
    }

    /// <summary>Takes note that a member has joined.</summary>
    public void OnJoined(byte member)
    {
        if (!identity.Members.TryGetValue(member, out var found) || found.HasJoined)
            return;
        identity.Members[member] = found with { HasJoined = true };
        identity.IsDirty = true;
    }

    /// <summary>Takes a member table, and removes the members whose stores are retired.</summary>
    /// <param name="table">The table.</param>
    /// <param name="isOfMember">True if a member has sent it.</param>
    /// <param name="isJoined">True if this store has joined: then it takes names from members only.</param>
    /// <param name="sessions">The open sessions: where retirements need proofs, a table does not displace who is in one.</param>
    /// <returns>The members that were removed.</returns>
    public IReadOnlyList<byte> Learn(MemberTable table, bool isOfMember, bool isJoined, IReadOnlyDictionary<byte, Session> sessions)
    {
        foreach (var (storeId, proof) in table.Retired)
            identity.IsDirty |= identity.Retired.Add(storeId, proof);
        if (isOfMember && StoreOf(table.Members, self) == identity.StoreId && identity.Ancestors.Overlaps(table.Retired.Keys))
        {
            identity.Ancestors.ExceptWith(table.Retired.Keys);
            identity.IsDirty = true;
        }
        foreach (var (member, named) in isOfMember || !isJoined ? table.Members : ReadOnlyDictionary<byte, StoreMember>.Empty)
        {
            if (!proofs.AreNeeded || !IsDisplaced(member, named, sessions))
                Learn(member, named);
        }
        byte[] retired = [.. identity.Members.Keys.Where(member => member != self && identity.Retired.Contains(identity.Members[member].StoreId))];
        foreach (byte member in retired)
        {
            identity.Members.Remove(member);
            Drop(member);
            identity.IsDirty = true;
        }
        return retired;
    }

    /// <summary>No longer waits for an absent member, until the next session with it.</summary>
    /// <exception cref="ArgumentException">It is this node, or no member.</exception>
    /// <exception cref="InvalidOperationException">It is not absent.</exception>
    public void Forget(byte node, bool isInSession)
    {
        if (node == self || !identity.Members.ContainsKey(node))
        {
            throw new ArgumentException(
                $"Node {node} is {(node == self ? "this node itself" : "not a member")}. The other members are "
                    + $"{string.Join(", ", identity.Members.Keys.Where(other => other != self))}.",
                nameof(node));
        }
        if (isInSession)
            throw new InvalidOperationException($"Node {node} is not absent: a session with it is open. Forget it once it is down.");
        identity.IsDirty |= identity.Forgotten.Add(node);
    }

    /// <summary>Returns the store of another member.</summary>
    /// <exception cref="ArgumentException">It is this node, or no member.</exception>
    public ulong StoreToRetire(byte node)
    {
        if (node == self)
            throw new ArgumentException($"Node {node} cannot retire itself. Call RetireAsync at another node.", nameof(node));
        return identity.Members.TryGetValue(node, out var found)
            ? found.StoreId
            : throw new ArgumentException($"Node {node} is not a member. The members are {string.Join(", ", identity.Members.Keys)}.", nameof(node));
    }

    /// <summary>Returns the store that a table names under a node id, or null if it names none.</summary>
    public static ulong? StoreOf(IReadOnlyDictionary<byte, StoreMember> members, byte member) =>
        members.TryGetValue(member, out var found) ? found.StoreId : null;

    static bool IsDisplaced(byte member, StoreMember named, IReadOnlyDictionary<byte, Session> sessions) =>
        sessions.TryGetValue(member, out var session) && session.StoreId != named.StoreId;

    void Learn(byte member, StoreMember named)
    {
        var mine = identity.Members;
        bool isFree = !mine.TryGetValue(member, out var known) || identity.Retired.Contains(known.StoreId)
            || (!known.HasJoined && !known.TakesOver && named.HasJoined && named.StoreId != known.StoreId && member != self);
        if (!isFree && known.StoreId == named.StoreId && named.HasJoined && !known.HasJoined)
        {
            mine[member] = known with { HasJoined = true };
            identity.IsDirty = true;
        }
        if (!isFree || identity.Retired.Contains(named.StoreId))
            return;
        mine[member] = named;
        Drop(member);
        identity.IsDirty = true;
    }

    void Drop(byte member)
    {
        _heard.Remove(member);
        _said.Remove(member);
    }

    /// <summary>Takes what a member says of itself in its session, which outweighs whatever others have said of it [R19].</summary>
    void HearItself(byte member, PeerKnowledge heard)
    {
        if (_said.TryGetValue(member, out var said) && said.Run == heard.Run)
            heard = heard with { Known = said.Known.Union(heard.Known) };
        _said[member] = _heard[member] = heard;
    }

    /// <summary>
    /// Takes what is heard of a member, whoever tells it: a later run replaces an earlier one, whose tail may be lost; the same run adds [R10].
    /// </summary>
    void Hear(byte member, PeerKnowledge heard)
    {
        if (!_heard.TryGetValue(member, out var mine) || heard.Run > mine.Run)
            _heard[member] = heard;
        else if (heard.Run == mine.Run)
            _heard[member] = mine with { Known = mine.Known.Union(heard.Known) };
    }
}
