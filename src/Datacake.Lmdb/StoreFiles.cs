using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>The operations on all files of a store: the data and LMDB's reader table next to it.</summary>
static class StoreFiles
{
    static readonly string[] Suffixes = ["", "-lock", ".lock"];

    /// <summary>Returns the path of LMDB's reader table.</summary>
    public static string LockTableOf(string path) => path + "-lock";

    /// <summary>Returns the path of the copy that a compaction creates.</summary>
    public static string CompactionOf(string path) => path + ".compact";

    public static long SizeOf(string path) =>
        Suffixes.Select(suffix => new FileInfo(path + suffix)).Where(file => file.Exists).Sum(file => file.Length);

    public static void Delete(string path)
    {
        File.Delete(path);
        DeleteLockTable(path);
    }

    /// <summary>Removes the reader table of a closed file. It is created again when the file is opened.</summary>
    public static void DeleteLockTable(string path) => File.Delete(LockTableOf(path));

    /// <summary>
    /// Replaces the file of an open store with that of another one by renaming it. The reader table is renamed too, so that each store
    /// keeps the table that it has open.
    /// </summary>
    public static void Replace(string source, string target, string description)
    {
        try
        {
            File.Move(LockTableOf(source), LockTableOf(target), overwrite: true);
            DurableFile.Move(source, target);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, exception);
        }
    }

    public static async ValueTask CopyAsync(string source, string target, CancellationToken cancellationToken)
    {
        var from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read);
        await using (from.ConfigureAwait(false))
        {
            var to = new FileStream(target, DurableFile.ForOwner(FileMode.CreateNew, FileAccess.Write, FileShare.None));
            await using (to.ConfigureAwait(false))
                await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
        }
    }
}
