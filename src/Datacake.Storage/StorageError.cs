namespace Datacake.Storage;

/// <summary>What went wrong in a store.</summary>
public enum StorageError
{
    /// <summary>Any other failure of the engine or of the file system.</summary>
    Failed,

    /// <summary>Another process, or another instance in this one, has the store open.</summary>
    AlreadyOpen,

    /// <summary>The path does not exist and cannot be created, or may not be read or written.</summary>
    Inaccessible,

    /// <summary>The disk, or the size that the store was given, is full.</summary>
    Full,

    /// <summary>The store was written by a newer version of the library.</summary>
    NewerFormat,

    /// <summary>What is at the path is sound, and belongs to another program.</summary>
    Foreign,

    /// <summary>The bytes on disk are not what was written.</summary>
    Corrupt,

    /// <summary>The native library of the engine could not be loaded.</summary>
    EngineMissing,
}
