using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The verification of retirements that peers report [R19]. If operators have keys, only retirements with a valid proof are believed;
/// otherwise the word of any member is enough.
/// </summary>
/// <remarks>
/// A replica continues to believe retirements that it learned of before it had keys, or with a key that is no longer accepted: they may be
/// all that keeps a retired store out. They are no proof to other replicas until an operator signs them.
/// </remarks>
/// <param name="identity">The identity of the store, which contains the member table.</param>
/// <param name="authority">Verifies proofs; null if the word of any member is enough.</param>
sealed class RetirementProofs(ReplicaIdentity identity, IRetirementAuthority? authority)
{
    /// <summary>
    /// The maximum number of proofs that are verified per message, because verification is slow. Later messages repeat the rest.
    /// </summary>
    const int MaxVerified = 64;

    const int MaxRemembered = 4_096;

    // The last verified proof for each store, and its result: peers send the same proofs again and again.
    readonly Dictionary<ulong, (ulong Cluster, ReadOnlyMemory<byte> Proof, bool IsValid)> _verified = [];

    /// <summary>True if retirements need a proof.</summary>
    public bool AreNeeded => authority is not null;

    /// <summary>Gets the retired stores that every member will believe to be retired once it has heard of them.</summary>
    public IEnumerable<ulong> Certain => identity.Retired.Where(store => !AreNeeded || !identity.Retired.ProofOf(store).IsEmpty);

    /// <summary>Gets the retired stores without a valid proof.</summary>
    public IReadOnlyList<ulong> Unproven => [.. identity.Retired.Where(store => identity.Retired.ProofOf(store).IsEmpty)];

    /// <summary>
    /// Verifies the stored proofs when a process starts, perhaps with new operator keys, and drops those that the keys do not confirm. Also
    /// drops claims that needed no proof before there were keys.
    /// </summary>
    public void TakeUpStored()
    {
        if (authority is null)
            return;
        foreach (var (node, member) in identity.Members.Where(static member => member.Value.IsVolatile || member.Value.TakesOver).ToArray())
            identity.Members[node] = member with { IsVolatile = false, TakesOver = false };
        VerifyStored();
    }

    /// <summary>
    /// Drops the proofs that the keys do not confirm: they belong to other keys, or to another cluster that this store has met.
    /// </summary>
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
    /// Returns a hello without its unproven claims of retirements and takeovers. A store in memory is treated like any other: that the
    /// previous store is gone with its process would be a mere claim of the sender.
    /// </summary>
    public Hello WithoutUnproven(Hello hello) =>
        AreNeeded ? hello with { TakesOver = false, IsVolatile = false, Table = WithoutUnproven(hello.Table, hello.Cluster) } : hello;

    /// <summary>Returns a member table without its unproven claims of retirements and takeovers.</summary>
    /// <param name="table">The table.</param>
    /// <param name="cluster">The identity of the sender's cluster, which is used while this store has none.</param>
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

    /// <summary>Returns true if a peer's refusal, which says that this store is retired, must be believed.</summary>
    public bool IsProven(Refusal refusal)
    {
        int verified = 0;
        return !AreNeeded || IsValid(identity.Cluster, identity.StoreId, refusal.Proof, ref verified);
    }

    /// <summary>Returns true if a retirement is already known, with a proof that is at least as good.</summary>
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
