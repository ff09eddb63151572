namespace Datacake.EventualConsistency;

/// <summary>What <see cref="ReplicatedStore.SalvageAsync"/> writes.</summary>
public enum SalvageMode
{
    /// <summary>Nothing: it only says what it would write.</summary>
    Trial,

    /// <summary>What the cluster has certainly never had.</summary>
    Certain,

    /// <summary>Also what the cluster may have had and deleted since.</summary>
    All,
}
