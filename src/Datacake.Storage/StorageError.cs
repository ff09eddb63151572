namespace Datacake.Storage;

/// <summary>The reasons for which a store operation fails.</summary>
public enum StorageError
{
    /// <summary>A failure of the engine or the file system that has no value of its own.</summary>
    Failed,

    /// <summary>A store that is already open in another process, or by another instance in this one.</summary>
    AlreadyOpen,

    /// <summary>A path that does not exist and cannot be created, or that this process may not read or write.</summary>
    Inaccessible,

    /// <summary>A full disk, or a store that has reached its configured maximum size.</summary>
    Full,

    /// <summary>A store written by a newer version of the library.</summary>
    NewerFormat,

    /// <summary>Intact data at the path that belongs to another program.</summary>
    Foreign,

    /// <summary>Damaged data on the disk.</summary>
    Corrupt,

    /// <summary>A native library of the engine that cannot be loaded.</summary>
    EngineMissing,
}
