using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Decides which retirements are believed that peers tell of [R19]. Where operators have keys, those of durable stores need a proof; else the word of any member is enough.
/// </summary>
/// <remarks>
/// A store in memory is gone with its process, and the next one retires it by itself: nobody signs that. So a retirement without a proof holds for stores in memory only. Of a
/// store that is not known here it is taken, and is void as soon as the store turns out to be durable.
/// </remarks>
/// <param name="identity">The identity of the store, which has the member table.</param>
/// <param name="settings">The settings of the replica.</param>
sealed class RetirementProofs(ReplicaIdentity identity, ReplicaSettings settings)
{
    /// <summary>To verify a proof takes time: who sends so many that are not valid has the rest of his table ignored.</summary>
    const int MaxFailures = 16;

    /// <summary>True if retirements of durable stores need a proof.</summary>
    public bool AreNeeded => settings.Authority is not null;

    /// <summary>Gets the retired stores that gossip has to know of.</summary>
    public IEnumerable<ulong> Certain => identity.Retired.Where(store => !AreNeeded || !identity.Retired.ProofOf(store).IsEmpty);

    /// <summary>Returns a hello without what it says of retirements and takeovers that nobody has proven.</summary>
    public Hello WithoutUnproven(Hello hello) => AreNeeded ? hello with { TakesOver = false, Table = WithoutUnproven(hello.Table, hello.Cluster) } : hello;

    /// <summary>Returns a member table without what it says of retirements and takeovers that nobody has proven.</summary>
    /// <param name="table">The table.</param>
    /// <param name="cluster">The identity of the cluster that its sender is of.</param>
    public MemberTable WithoutUnproven(MemberTable table, ulong cluster)
    {
        if (!AreNeeded)
            return table;
        if (table.Members.Values.Any(static member => member.TakesOver))
            table = table with { Members = table.Members.ToDictionary(static member => member.Key, static member => member.Value with { TakesOver = false }) };
        var proven = new Dictionary<ulong, ReadOnlyMemory<byte>>();
        int failures = 0;
        foreach (var (storeId, proof) in table.Retired)
        {
            if (IsProven(cluster, storeId, proof))
                proven.Add(storeId, proof);
            else if (++failures == MaxFailures)
                break;
        }
        return proven.Count == table.Retired.Count ? table : table with { Retired = proven };
    }

    /// <summary>Returns true if a peer that says that this store is retired has to be believed.</summary>
    public bool IsProven(Refusal refusal) => IsProven(identity.Cluster, identity.StoreId, refusal.Proof);

    /// <summary>Returns true if a retirement has to be believed.</summary>
    public bool IsProven(ulong cluster, ulong storeId, ReadOnlyMemory<byte> proof)
    {
        if (settings.Authority is not { } authority)
            return true;
        if (proof.IsEmpty)
            return identity.Retired.Contains(storeId) || MayBeInMemory(storeId);
        return proof.Span.SequenceEqual(identity.Retired.ProofOf(storeId).Span) || authority.Proves(cluster, storeId, proof);
    }

    /// <summary>Voids the retirement of a store that has no proof and turns out to need one.</summary>
    public void OnSeen(ulong storeId, bool isVolatile)
    {
        if (AreNeeded && !isVolatile && identity.Retired.ProofOf(storeId).IsEmpty)
            identity.IsDirty |= identity.Retired.Remove(storeId);
    }

    bool MayBeInMemory(ulong storeId)
    {
        if (storeId == identity.StoreId)
            return settings.IsVolatile;
        foreach (var member in identity.Members.Values)
        {
            if (member.StoreId == storeId)
                return member.IsVolatile;
        }
        return true;
    }
}
