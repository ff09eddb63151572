namespace Datacake.EventualConsistency;

/// <summary>Says how much <see cref="ReplicatedStore.SalvageAsync"/> writes.</summary>
public enum SalvageMode
{
    /// <summary>Writes nothing, and only says what it would write.</summary>
    Trial,

    /// <summary>Writes what the cluster has certainly never had.</summary>
    Certain,

    /// <summary>Writes also what the cluster may have had and deleted since.</summary>
    All,
}
