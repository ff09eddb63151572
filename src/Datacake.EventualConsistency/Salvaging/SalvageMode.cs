namespace Datacake.EventualConsistency;

/// <summary>The extent of the writes of <see cref="ReplicatedStore.SalvageAsync"/>.</summary>
public enum SalvageMode
{
    /// <summary>A trial run, which writes nothing and lists what would be written.</summary>
    Trial,

    /// <summary>Data that the cluster has certainly never had.</summary>
    Certain,

    /// <summary>Data that the cluster has never had, and data that it may have had and deleted since.</summary>
    All,
}
