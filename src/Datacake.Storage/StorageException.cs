namespace Datacake.Storage;

/// <summary>
/// The exception that is thrown when a store cannot be opened, read or written. The message names the store, the reason and the remedy.
/// </summary>
public sealed class StorageException : Exception
{
    /// <summary>Initializes a new instance of the <see cref="StorageException"/> class.</summary>
    /// <param name="error">The reason, for programs that handle the exception.</param>
    /// <param name="message">A message that names the store, the reason and the remedy.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public StorageException(StorageError error, string message, Exception? innerException = null)
        : base(message, innerException) => Error = error;

    /// <summary>Gets the reason for the failure, for programs that handle the exception.</summary>
    public StorageError Error { get; }

    /// <summary>Creates the exception for a failure of the file system. Intended for providers that use files.</summary>
    /// <param name="description">The description of the store, for the message.</param>
    /// <param name="failure">
    /// The <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> that occurred. Its message should name the file.
    /// </param>
    /// <returns>An exception whose <see cref="Error"/> matches the failure and whose message includes that of the failure.</returns>
    public static StorageException FromFileSystem(string description, Exception failure)
    {
        if (failure is IOException && FullDisk.Contains(failure.HResult))
        {
            return new StorageException(
                StorageError.Full,
                $"The disk of the {description} is full: {failure.Message} Data committed earlier is intact. Free some space and retry.",
                failure);
        }
        bool isInaccessible = failure is UnauthorizedAccessException or DirectoryNotFoundException or FileNotFoundException
            || (failure is IOException && Inaccessible.Contains(failure.HResult));
        if (isInaccessible)
        {
            return new StorageException(
                StorageError.Inaccessible,
                $"The {description} cannot be opened, read or written: {failure.Message} Check the path and the permissions of this process.",
                failure);
        }
        return new StorageException(StorageError.Failed, $"The {description} failed: {failure.Message}", failure);
    }

    // Values of IOException.HResult: ENOSPC, EDQUOT and EFBIG; on Windows ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    static ReadOnlySpan<int> FullDisk =>
        OperatingSystem.IsWindows() ? [unchecked((int)0x80070027), unchecked((int)0x80070070)]
        : OperatingSystem.IsLinux() ? [28, 122, 27]
        : [28, 69, 27];

    // ENOENT, EEXIST, ENOTDIR, EISDIR and EROFS; on Windows ERROR_WRITE_PROTECT, ERROR_FILE_EXISTS and ERROR_ALREADY_EXISTS.
    static ReadOnlySpan<int> Inaccessible =>
        OperatingSystem.IsWindows() ? [unchecked((int)0x80070013), unchecked((int)0x80070050), unchecked((int)0x800700B7)]
        : [2, 17, 20, 21, 30];
}
