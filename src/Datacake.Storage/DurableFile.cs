using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Datacake.Storage;

/// <summary>
/// File operations for providers that leave either the old state or the new one after a loss of power. Flushing a file makes its contents
/// durable; flushing its directory makes its name durable.
/// </summary>
public static partial class DurableFile
{
    const string PartialSuffix = ".partial";
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Returns options for opening a file without buffering. If the file is created, only its owner can read and write it. On Windows, the
    /// file inherits the permissions of its directory instead.
    /// </summary>
    /// <param name="mode">Specifies whether the file must already exist.</param>
    /// <param name="access">The access to request.</param>
    /// <param name="share">The access that others may have while the file is open.</param>
    public static FileStreamOptions ForOwner(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    /// <summary>Returns the free space of the volume of a path, in bytes; null if it is not known, such as on some network shares.</summary>
    public static long? FreeSpaceAt(string path)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// Creates a file atomically: even after a loss of power, either the complete file exists or no file does. The file is written under
    /// another name in the same directory, readable by its owner only, flushed to the disk, and then renamed.
    /// </summary>
    /// <param name="path">The path of the new file. Nothing may exist at this path yet.</param>
    /// <param name="description">A description of the file, for error messages.</param>
    /// <param name="write">A callback that writes the contents to the path passed to it.</param>
    /// <exception cref="StorageException">
    /// Something already exists at the path, or the file cannot be written. A partially written file is removed.
    /// </exception>
    public static async ValueTask CreateAsync(string path, string description, Func<string, ValueTask> write)
    {
        path = Path.GetFullPath(path);
        string partial = path + PartialSuffix;
        try
        {
            if (Path.Exists(path))
            {
                // The description of a store contains its path.
                throw new StorageException(
                    StorageError.Inaccessible,
                    description.Contains(path, StringComparison.Ordinal)
                        ? $"The {description} cannot be written, because its path already exists. Choose another path, or move the existing file away."
                        : $"The {description} cannot be written to '{path}', because that path already exists. Choose another path, or move the existing file away.");
            }
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // A killed process may have left a partial file.
            File.Delete(partial);
            await write(partial).ConfigureAwait(false);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(partial, OwnerOnly);
            Flush(partial);
            Move(partial, path);
        }
        catch (Exception exception)
        {
            TryDelete(partial);
            if (exception is IOException or UnauthorizedAccessException)
                throw StorageException.FromFileSystem(description, exception);
            throw;
        }
    }

    /// <summary>Flushes the contents of a file to the disk.</summary>
    public static void Flush(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Renames a file, replacing any file at the target, and flushes the new name to the disk.</summary>
    public static void Move(string source, string target)
    {
        File.Move(source, target, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
    }

    /// <summary>
    /// Flushes the entries of a directory to the disk, so that created, renamed and removed files stay so after a loss of power. Does nothing
    /// on Windows, which does this by itself.
    /// </summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            using SafeFileHandle directory = OpenDirectory(path);
            // On macOS, this also flushes the cache of the disk, which fsync does not.
            RandomAccess.FlushToDisk(directory);
        }
        catch (IOException exception)
        {
            throw new IOException($"The directory '{path}' cannot be flushed: {exception.Message}", exception.HResult);
        }
    }

    static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The original failure is more informative, and the next attempt removes the file.
        }
    }

    /// <summary>Opens a directory for flushing, for which .NET has no API.</summary>
    static SafeFileHandle OpenDirectory(string path)
    {
        const int ReadOnly = 0, Interrupted = 4;
        while (true)
        {
            int directory = OpenFile(path, ReadOnly);
            if (directory >= 0)
                return new SafeFileHandle(directory, ownsHandle: true);
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
                throw new IOException($"{Marshal.GetPInvokeErrorMessage(error)}.", error);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);
}
