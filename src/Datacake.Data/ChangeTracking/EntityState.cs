namespace Datacake.Data;

/// <summary>What the next save does about an entity.</summary>
public enum EntityState
{
    /// <summary>The context does not know the entity.</summary>
    Detached,

    /// <summary>It is as it was read or saved last: nothing.</summary>
    Unchanged,

    /// <summary>It will be deleted.</summary>
    Deleted,

    /// <summary>Its changes will be written.</summary>
    Modified,

    /// <summary>It will be put as a whole.</summary>
    Added,
}
