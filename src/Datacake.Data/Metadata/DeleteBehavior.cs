namespace Datacake.Data;

/// <summary>The action that a save takes on the dependents of a deleted entity.</summary>
public enum DeleteBehavior
{
    /// <summary>Deletes the dependents in the same transaction. The default if the foreign key cannot be null.</summary>
    Cascade,

    /// <summary>
    /// Sets the foreign keys of the dependents to null in the same transaction. The default if the foreign key can be null.
    /// </summary>
    SetNull,

    /// <summary>Fails the save if there are any dependents.</summary>
    Restrict,

    /// <summary>Leaves the dependents unchanged, so that they refer to an entity that no longer exists.</summary>
    NoAction,
}
