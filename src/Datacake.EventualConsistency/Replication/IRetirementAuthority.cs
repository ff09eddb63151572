namespace Datacake.EventualConsistency.Replication;

/// <summary>The authority that decides whether an operator has retired a store [R19].</summary>
interface IRetirementAuthority
{
    /// <summary>Returns true if an operator has made this proof for this store of this cluster.</summary>
    bool Proves(ulong cluster, ulong storeId, ReadOnlyMemory<byte> proof);
}
