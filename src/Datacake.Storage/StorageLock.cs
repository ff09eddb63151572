namespace Datacake.Storage;

/// <summary>
/// The exclusive ownership of a store on disk, for providers. It is an operating system lock on a file next to the store, and is released
/// when the process ends, even if the process is killed. The lock file is never removed: otherwise two owners could lock two different
/// files of the same name.
/// </summary>
public sealed class StorageLock : IDisposable
{
    readonly FileStream _file;

    StorageLock(FileStream file, string path)
    {
        _file = file;
        Path = path;
    }

    /// <summary>
    /// Gets the full path of the store, which is the target if the acquired path is a symbolic link. A provider opens the store by this path,
    /// because the files next to the store are named after it.
    /// </summary>
    public string Path { get; }

    /// <summary>Acquires the ownership of the store at a path, and creates the directory of the store if it does not exist.</summary>
    /// <param name="path">
    /// The path of the store, or of a symbolic link to it. The lock file has the same name as the store, with <c>.lock</c> appended.
    /// </param>
    /// <param name="description">The description of the store, for error messages.</param>
    /// <exception cref="StorageException">
    /// The store already has an owner, the lock file cannot be created, or the store is a file with several hard links, which have a lock file
    /// each.
    /// </exception>
    public static StorageLock Acquire(string path, string description)
    {
        string target = path;
        try
        {
            target = TargetOf(path);
            if (System.IO.Path.GetDirectoryName(target) is { Length: > 0 } directory)
                Directory.CreateDirectory(directory);
            var options = DurableFile.ForOwner(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var acquired = new StorageLock(new FileStream(target + ".lock", options), target);
            try
            {
                RefuseHardLinks(target, description);
                return acquired;
            }
            catch
            {
                acquired.Dispose();
                throw;
            }
        }
        catch (IOException exception) when (exception.HResult == SharingViolation)
        {
            string name = target == System.IO.Path.GetFullPath(path) ? "" : $"'{path}' is a symbolic link to '{target}'. ";
            throw new StorageException(
                StorageError.AlreadyOpen,
                $"The {description} is already open in another process, or elsewhere in this one. {name}A store can have only one owner. "
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

    /// <summary>Returns the full path of a file or directory, or of the target if it is a symbolic link.</summary>
    static string TargetOf(string path)
    {
        // The path must not end with a separator, since then it names the target of the link.
        var file = new FileInfo(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)));
        return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    static void RefuseHardLinks(string path, string description)
    {
        if (File.Exists(path) && HardLinks.Count(path) is > 1 and var count)
        {
            throw new StorageException(
                StorageError.Inaccessible,
                $"The {description} has {count} names (hard links), so that another process could open '{path}' by another name at the same time. "
                    + "Remove the other names, or copy the file and open the copy.");
        }
    }

    // IOException.HResult when FileShare.None is refused: ERROR_SHARING_VIOLATION on Windows, EWOULDBLOCK elsewhere.
    static int SharingViolation =>
        OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 35 : 11;
}
