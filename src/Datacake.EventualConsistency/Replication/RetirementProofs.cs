using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Decides which retirements are believed that peers tell of [R19]. Where operators have keys, only those with a proof are; else the word of any member is enough.
/// </summary>
/// <remarks>
/// What this replica has learned before it had keys, or with a key that is not accepted any more, it goes on believing: that may be all that keeps a retired store out. It is no
/// proof to others, until an operator signs it.
/// </remarks>
/// <param name="identity">The identity of the store, which has the member table.</param>
/// <param name="authority">Tells whether an operator has retired a store; null if the word of any member does.</param>
sealed class RetirementProofs(ReplicaIdentity identity, IRetirementAuthority? authority)
{
    /// <summary>To verify a proof takes time: of the rest of a message's proofs, the next messages are told.</summary>
    const int MaxVerified = 64;

    const int MaxRemembered = 4_096;

    // The last proof for each store that was verified, and whether it is valid: a peer tells the same ones again and again.
    readonly Dictionary<ulong, (ulong Cluster, ReadOnlyMemory<byte> Proof, bool IsValid)> _verified = [];

    /// <summary>True if retirements need a proof.</summary>
    public bool AreNeeded => authority is not null;

    /// <summary>Gets the retired stores that every member believes in, once it has heard of them.</summary>
    public IEnumerable<ulong> Certain => identity.Retired.Where(store => !AreNeeded || !identity.Retired.ProofOf(store).IsEmpty);

    /// <summary>Gets the retired stores of which there is no valid proof.</summary>
    public IReadOnlyList<ulong> Unproven => [.. identity.Retired.Where(store => identity.Retired.ProofOf(store).IsEmpty)];

    /// <summary>A process starts, perhaps with other keys than the last one, or the first ones: drops the proofs that they do not confirm, and what needed none.</summary>
    public void TakeUpStored()
    {
        if (authority is null)
            return;
        foreach (var (node, member) in identity.Members.Where(static member => member.Value.IsVolatile || member.Value.TakesOver).ToArray())
            identity.Members[node] = member with { IsVolatile = false, TakesOver = false };
        VerifyStored();
    }

    /// <summary>Drops the proofs that the keys do not confirm: they are of other keys, or of another cluster that this store has met.</summary>
    public void VerifyStored()
    {
        if (authority is null || identity.Cluster == 0)
            return;
        foreach (ulong store in identity.Retired.ToArray())
        {
            if (identity.Retired.ProofOf(store) is { IsEmpty: false } proof && !authority.Proves(identity.Cluster, store, proof))
                identity.IsDirty |= identity.Retired.DropProof(store);
        }
    }

    /// <summary>
    /// Returns a hello without what it says of retirements and takeovers that nobody has proven. A store in memory is as any other one: that the one before it is gone with its
    /// process would be a claim of who says hello.
    /// </summary>
    public Hello WithoutUnproven(Hello hello) =>
        AreNeeded ? hello with { TakesOver = false, IsVolatile = false, Table = WithoutUnproven(hello.Table, hello.Cluster) } : hello;

    /// <summary>Returns a member table without what it says of retirements and takeovers that nobody has proven.</summary>
    /// <param name="table">The table.</param>
    /// <param name="cluster">The identity of the cluster that its sender is of, which counts while this store has none.</param>
    public MemberTable WithoutUnproven(MemberTable table, ulong cluster)
    {
        if (!AreNeeded)
            return table;
        if (table.Members.Values.Any(static member => member.TakesOver || member.IsVolatile))
            table = table with { Members = table.Members.ToDictionary(static member => member.Key, static member => member.Value with { TakesOver = false, IsVolatile = false }) };
        if (table.Retired.Count == 0)
            return table;
        var proven = new Dictionary<ulong, ReadOnlyMemory<byte>>();
        int verified = 0;
        foreach (var (storeId, proof) in table.Retired)
        {
            if (IsKnown(storeId, proof) || IsValid(identity.Cluster == 0 ? cluster : identity.Cluster, storeId, proof, ref verified))
                proven.Add(storeId, proof);
        }
        return proven.Count == table.Retired.Count ? table : table with { Retired = proven };
    }

    /// <summary>Returns true if a peer that says that this store is retired has to be believed.</summary>
    public bool IsProven(Refusal refusal)
    {
        int verified = 0;
        return !AreNeeded || IsValid(identity.Cluster, identity.StoreId, refusal.Proof, ref verified);
    }

    /// <summary>Returns true if it is learned already, with a proof that is as good.</summary>
    bool IsKnown(ulong storeId, ReadOnlyMemory<byte> proof) =>
        identity.Retired.ProofOf(storeId) is { IsEmpty: false } known && (proof.IsEmpty || proof.Span.SequenceEqual(known.Span));

    bool IsValid(ulong cluster, ulong storeId, ReadOnlyMemory<byte> proof, ref int verified)
    {
        if (proof.IsEmpty || cluster == 0)
            return false;
        if (_verified.TryGetValue(storeId, out var last) && last.Cluster == cluster && last.Proof.Span.SequenceEqual(proof.Span))
            return last.IsValid;
        if (++verified > MaxVerified)
            return false;
        if (_verified.Count >= MaxRemembered)
            _verified.Clear();
        bool isValid = authority!.Proves(cluster, storeId, proof);
        _verified[storeId] = (cluster, proof, isValid);
        return isValid;
    }
}
