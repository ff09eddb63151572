using System.Runtime.InteropServices;

namespace Datacake.Storage;

/// <summary>
/// What a provider with files needs beside those of .NET, so that a loss of power finds either the old state or the new one: a file's
/// contents are forced to the disk through the file, its name through the directory.
/// </summary>
public static partial class DurableFile
{
    const string PartialSuffix = ".partial";
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Returns options for opening a file without a buffer that, if it is created, only its owner can read and write; on Windows, those decide who may open the
    /// directory.
    /// </summary>
    /// <param name="mode">Whether it has to be there already.</param>
    /// <param name="access">What is done with it.</param>
    /// <param name="share">What others may do with it meanwhile.</param>
    public static FileStreamOptions ForOwner(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    /// <summary>
    /// Makes a file that is there as a whole or not at all, also after a loss of power: it is written under another name in the same
    /// directory, readable by its owner only, forced to the disk, and renamed.
    /// </summary>
    /// <param name="path">The file. There must be nothing of that name.</param>
    /// <param name="description">What is made, for error messages.</param>
    /// <param name="write">Writes the contents to the path that it is given.</param>
    /// <exception cref="StorageException">There is something at the path, or it cannot be written. What was written is removed.</exception>
    public static async ValueTask CreateAsync(string path, string description, Func<string, ValueTask> write)
    {
        path = Path.GetFullPath(path);
        string partial = path + PartialSuffix;
        try
        {
            if (Path.Exists(path))
            {
                throw new StorageException(
                    StorageError.Inaccessible,
                    $"The {description} cannot be written to '{path}', because there is something of that name. Choose another, or move "
                        + "it away.");
            }
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // What a process that was killed has left.
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

    /// <summary>Forces what was written to a file to the disk.</summary>
    public static void Flush(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Gives a file another name, replacing what has it, and forces that to the disk.</summary>
    public static void Move(string source, string target)
    {
        File.Move(source, target, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
    }

    /// <summary>Forces the names in a directory to the disk: files made, renamed and removed. Windows does so by itself.</summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        const int ReadOnly = 0;
        // The runtime opens no directories.
        int directory = OpenFile(path, ReadOnly);
        if (directory < 0)
            throw Failure(path);
        try
        {
            if (ForceToDisk(directory) != 0)
                throw Failure(path);
        }
        finally
        {
            _ = CloseFile(directory);
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
            // The failure that led here says more, and the next attempt removes the file.
        }
    }

    static IOException Failure(string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"The directory '{path}' cannot be flushed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int ForceToDisk(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int file);
}
