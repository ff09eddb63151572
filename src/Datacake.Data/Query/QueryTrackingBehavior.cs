namespace Datacake.Data;

/// <summary>Says what becomes of the entities of queries that say nothing of it themselves.</summary>
public enum QueryTrackingBehavior
{
    /// <summary>They are tracked.</summary>
    TrackAll,

    /// <summary>They are not tracked, as with <see cref="Query{T}.AsNoTracking"/>.</summary>
    NoTracking,
}
