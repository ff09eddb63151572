namespace Datacake.Storage;

/// <summary>
/// The sole ownership of a store on disk, for providers: a lock of the operating system on a file beside the store. It ends with the
/// process, however that ends. The file stays: removing it would let two owners lock two files of one name.
/// </summary>
public sealed class StorageLock : IDisposable
{
    readonly FileStream _file;

    StorageLock(FileStream file) => _file = file;

    /// <summary>Takes the ownership of the store at a path, and creates the directory that the store is to be in.</summary>
    /// <param name="path">The path of the store. The lock file has the same name with <c>.lock</c> appended.</param>
    /// <param name="description">What the store is, for error messages.</param>
    /// <exception cref="StorageException">The store has another owner, or the file cannot be created.</exception>
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
                $"The {description} is open in another process, or a second time in this one. Close it there first: it can have one owner.",
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, exception);
        }
    }

    /// <summary>Gives the ownership up.</summary>
    public void Dispose() => _file.Dispose();

    // What the runtime puts into an exception when FileShare.None cannot be had: ERROR_SHARING_VIOLATION, or errno EWOULDBLOCK.
    static int SharingViolation =>
        OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 35 : 11;
}
