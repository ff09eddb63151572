namespace Datacake.Data;

/// <summary>The state of an entity, which determines what the next save does.</summary>
public enum EntityState
{
    /// <summary>An entity that the context does not track.</summary>
    Detached,

    /// <summary>An entity that has not changed since it was last read or saved. Nothing is written.</summary>
    Unchanged,

    /// <summary>An entity that the next save deletes.</summary>
    Deleted,

    /// <summary>An entity whose changes the next save writes.</summary>
    Modified,

    /// <summary>An entity that the next save writes as a whole.</summary>
    Added,
}
