namespace Datacake.Data;

/// <summary>Says what a save does about the entities that refer to one which it deletes.</summary>
public enum DeleteBehavior
{
    /// <summary>Deletes them too, in the same transaction: the default if the foreign key cannot be null.</summary>
    Cascade,

    /// <summary>Sets their foreign keys to null, in the same transaction: the default if the foreign key can be null.</summary>
    SetNull,

    /// <summary>Fails if there are any.</summary>
    Restrict,

    /// <summary>Leaves them as they are: they refer to an entity that is gone.</summary>
    NoAction,
}
