namespace Datacake.Storage;

/// <summary>A store could not be opened, read or written. The message names the store, the reason and the remedy.</summary>
public sealed class StorageException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StorageException(StorageError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    /// <summary>What went wrong, for programs that handle it.</summary>
    public StorageError Error { get; }

    /// <summary>The exception for a failure of the file system, for providers that use files.</summary>
    /// <param name="description">What the store is, for the message.</param>
    /// <param name="failure">
    /// The failure: <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>. Its own message names the file.
    /// </param>
    public static StorageException FromFileSystem(string description, Exception failure)
    {
        if (failure is IOException && FullDisk.Contains(failure.HResult))
        {
            return new StorageException(
                StorageError.Full,
                $"The disk of the {description} is full: {failure.Message} What was committed before is unharmed. Free some space and try "
                    + "again.",
                failure);
        }
        bool isInaccessible = failure is UnauthorizedAccessException or DirectoryNotFoundException or FileNotFoundException
            || (failure is IOException && Inaccessible.Contains(failure.HResult));
        if (isInaccessible)
        {
            return new StorageException(
                StorageError.Inaccessible,
                $"The {description} cannot be opened, read or written: {failure.Message} Check the path, and that this process may read "
                    + "and write there.",
                failure);
        }
        return new StorageException(StorageError.Failed, $"The {description} failed: {failure.Message}", failure);
    }

    // What the runtime puts into an IOException: an errno (ENOSPC, EDQUOT, EFBIG), or ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL.
    static ReadOnlySpan<int> FullDisk =>
        OperatingSystem.IsWindows() ? [unchecked((int)0x80070027), unchecked((int)0x80070070)]
        : OperatingSystem.IsLinux() ? [28, 122, 27]
        : [28, 69, 27];

    // ENOENT, EEXIST, ENOTDIR, EISDIR, EROFS; and ERROR_WRITE_PROTECT, ERROR_FILE_EXISTS, ERROR_ALREADY_EXISTS.
    static ReadOnlySpan<int> Inaccessible =>
        OperatingSystem.IsWindows() ? [unchecked((int)0x80070013), unchecked((int)0x80070050), unchecked((int)0x800700B7)]
        : [2, 17, 20, 21, 30];
}
