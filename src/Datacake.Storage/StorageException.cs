namespace Datacake.Storage;

/// <summary>A store could not be opened, read or written. The message names the store, the reason and the remedy.</summary>
public sealed class StorageException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StorageException(StorageError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    /// <summary>What went wrong, for programs that handle it.</summary>
    public StorageError Error { get; }
}
