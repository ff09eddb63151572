namespace Datacake.Storage;

/// <summary>
/// The exclusive ownership of a store on disk, for providers. It is an operating system lock on a file next to the store, and is released
/// when the process ends, even if the process is killed. The lock file is never removed: otherwise two owners could lock two different
/// files of the same name.
/// </summary>
public sealed class StorageLock : IDisposable
{
    readonly FileStream _file;

    StorageLock(FileStream file) => _file = file;

    /// <summary>Acquires the ownership of the store at a path, and creates the directory of the store if it does not exist.</summary>
    /// <param name="path">The path of the store. The lock file has the same name with <c>.lock</c> appended.</param>
    /// <param name="description">The description of the store, for error messages.</param>
    /// <exception cref="StorageException">The store already has an owner, or the lock file cannot be created.</exception>
    public static StorageLock Acquire(string path, string description)
    {
        string file = path + ".lock";
        try
        {
            if (Path.GetDirectoryName(file) is { Length: > 0 } directory)
                Directory.CreateDirectory(directory);
            return new StorageLock(new FileStream(file, DurableFile.ForOwner(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)));
        }
        catch (IOException exception) when (exception.HResult == SharingViolation)
        {
            throw new StorageException(
                StorageError.AlreadyOpen,
                $"The {description} is already open in another process, or elsewhere in this one. A store can have only one owner. "
                    + "Close the other one first.",
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, exception);
        }
    }

    /// <summary>Releases the ownership.</summary>
    public void Dispose() => _file.Dispose();

    // IOException.HResult when FileShare.None is refused: ERROR_SHARING_VIOLATION on Windows, EWOULDBLOCK elsewhere.
    static int SharingViolation =>
        OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 35 : 11;
}
