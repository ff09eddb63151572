namespace Datacake.Data;

/// <summary>The tracking behavior of queries that do not specify it themselves.</summary>
public enum QueryTrackingBehavior
{
    /// <summary>Tracking of all entities.</summary>
    TrackAll,

    /// <summary>No tracking, as with <see cref="Query{T}.AsNoTracking"/>.</summary>
    NoTracking,
}
