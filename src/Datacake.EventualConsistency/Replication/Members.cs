using System.Collections.ObjectModel;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The members as a replica knows them: their identities and retirements [R6], and the known set of each, from which the stable set follows
/// [R10].
/// </summary>
/// <remarks>
/// A reported known set counts only for the store that the member table names for that node. A member that has not joined yet has no run,
/// so nothing is reported of it; it counts as knowing nothing, which pauses truncation. See PROTOCOL.md: forgotten, stable.
/// </remarks>
/// <param name="self">The node that the replica belongs to.</param>
/// <param name="identity">The identity of the store, which contains the member table.</param>
/// <param name="proofs">Decides which retirements are believed.</param>
sealed class Members(byte self, ReplicaIdentity identity, RetirementProofs proofs)
{
    readonly Dictionary<byte, PeerKnowledge> _heard = [];       // of each other member, from whatever source
    readonly Dictionary<byte, PeerKnowledge> _said = [];        // what each has said about itself

    /// <summary>Gets the newest known set of each other member that was heard of.</summary>
    public IReadOnlyDictionary<byte, PeerKnowledge> Heard => _heard;

    /// <summary>Returns the other members that are not in session.</summary>
    public IEnumerable<byte> Absent(IReadOnlyDictionary<byte, Session> sessions) =>
        identity.Members.Keys.Where(member => member != self && !sessions.ContainsKey(member));

    /// <summary>Returns the stable set: the transactions that every member that is not forgotten is known to have.</summary>
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

    /// <summary>Returns the transactions that every member is known to have, including those that are forgotten.</summary>
    public VersionVector KnownToAll(VersionVector known)
    {
        foreach (byte member in identity.Members.Keys)
        {
            if (member != self)
                known = known.Intersect(KnownOf(member));
        }
        return known;
    }

    /// <summary>Returns true if a member is known to have joined.</summary>
    public bool HasRun(byte member) => _heard.ContainsKey(member);

    /// <summary>Returns the last run that a member has reported for itself, or none.</summary>
    public HlcTimestamp RunOf(byte member) => _said.GetValueOrDefault(member).Run;

    /// <summary>Returns the run that belongs to the counted known set of a member, from whatever source, or none.</summary>
    public HlcTimestamp HeardRunOf(byte member) => _heard.GetValueOrDefault(member).Run;

    /// <summary>Returns the transactions that a member is known to have.</summary>
    public VersionVector KnownOf(byte member) => _heard.TryGetValue(member, out var heard) ? heard.Known : VersionVector.Empty;

    /// <summary>Returns true if the peer of a session may be a stray: one of its ancestors is retired.</summary>
    public bool MayBeStray(Session session) => session.Ancestors.Any(identity.Retired.Contains);

    /// <summary>
    /// Returns true if a store would replace another store that is known under its node id and may have data that exists nowhere else. A
    /// hello alone must not decide that [R19].
    /// </summary>
    /// <remarks>
    /// A store that is not known to have joined may have done so while this node was away. Still, a store that has joined takes
    /// precedence over it, and a node that has not joined itself does not decide.
    /// </remarks>
    public bool IsTaken(Hello hello, bool isJoined) => !hello.TakesOver && identity.Members.TryGetValue(hello.Node, out var known) && known.StoreId != hello.StoreId
        && !known.IsVolatile && !hello.Table.Retired.ContainsKey(known.StoreId) && (known.HasJoined || (isJoined && hello.Run.IsNone));

    /// <summary>
    /// Stops counting the store that a member is known by, if the member's hello names another store. The known store is also retired if
    /// the other one takes over its node id, or if it was in memory: its disk was replaced. Otherwise it may still be the right store.
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

    /// <summary>Makes the sender of a hello, with which a session opens, a member that is no longer forgotten.</summary>
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

    /// <summary>
    /// Takes over the known sets that a peer reports for all members. For members in session, only their own reports count.
    /// </summary>
    public void Hear(byte peer, Report report, IReadOnlyDictionary<byte, Session> sessions)
    {
        foreach (var (member, heard) in report.Peers)
        {
            // What others have heard of this replica must not return as its own report, and what an earlier life of a disk knew must not
            // count for the disk that has replaced it.
            if (member == self || StoreOf(report.Table.Members, member) is not { } store || store != StoreOf(identity.Members, member))
                continue;
            if (member != peer && !sessions.ContainsKey(member))
                Hear(member, heard);
            // A late report of an earlier run says nothing about the current run.
            else if (member == peer && heard.Run >= RunOf(member))
                HearItself(member, heard);
        }
    }

    /// <summary>Records that a member has joined.</summary>
    public void OnJoined(byte member)
    {
        if (!identity.Members.TryGetValue(member, out var found) || found.HasJoined)
            return;
        identity.Members[member] = found with { HasJoined = true };
        identity.IsDirty = true;
    }

    /// <summary>Merges a member table, and removes the members whose stores are retired.</summary>
    /// <param name="table">The member table.</param>
    /// <param name="isOfMember">True if a member has sent the table.</param>
    /// <param name="isJoined">True if this store has joined. It then accepts names from members only.</param>
    /// <param name="sessions">The open sessions. If retirements need proofs, a table does not displace a store that is in session.</param>
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

    /// <summary>Forgets an absent member: it is no longer waited for, until the next session with it.</summary>
    /// <exception cref="ArgumentException">The node is this node, or is not a member.</exception>
    /// <exception cref="InvalidOperationException">The member is not absent.</exception>
    public void Forget(byte node, bool isInSession)
    {
        if (node == self || !identity.Members.ContainsKey(node))
        {
            throw new ArgumentException(
                $"Node {node} is {(node == self ? "this node itself" : "not a member")}. The other members are: "
                    + $"{(identity.Members.Keys.Any(other => other != self) ? string.Join(", ", identity.Members.Keys.Where(other => other != self)) : "none")}.",
                nameof(node));
        }
        if (isInSession)
            throw new InvalidOperationException($"Node {node} cannot be forgotten, because a session with it is open. Forget it once it is down.");
        identity.IsDirty |= identity.Forgotten.Add(node);
    }

    /// <summary>Returns the store of another member, to be retired.</summary>
    /// <exception cref="ArgumentException">The node is this node, or is not a member.</exception>
    public ulong StoreToRetire(byte node)
    {
        if (node == self)
            throw new ArgumentException($"Node {node} cannot retire itself. Retire it at another node.", nameof(node));
        return identity.Members.TryGetValue(node, out var found)
            ? found.StoreId
            : throw new ArgumentException($"Node {node} is not a member. The members are {string.Join(", ", identity.Members.Keys)}.", nameof(node));
    }

    /// <summary>Returns the store that a table names for a node id, or null if it names none.</summary>
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

    /// <summary>
    /// Takes over what a member says about itself in its session, which outweighs anything that others have said about it [R19].
    /// </summary>
    void HearItself(byte member, PeerKnowledge heard)
    {
        if (_said.TryGetValue(member, out var said) && said.Run == heard.Run)
            heard = heard with { Known = said.Known.Union(heard.Known) };
        _said[member] = _heard[member] = heard;
    }

    /// <summary>
    /// Takes over a known set of a member, from whatever source. A later run replaces an earlier one, whose tail may be lost; known sets of
    /// the same run are united [R10].
    /// </summary>
    void Hear(byte member, PeerKnowledge heard)
    {
        if (!_heard.TryGetValue(member, out var mine) || heard.Run > mine.Run)
            _heard[member] = heard;
        else if (heard.Run == mine.Run)
            _heard[member] = mine with { Known = mine.Known.Union(heard.Known) };
    }
}
