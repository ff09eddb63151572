using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>The files of a store as a whole: the data, and LMDB's table of readers beside it.</summary>
static class StoreFiles
{
    static readonly string[] Suffixes = ["", "-lock", ".lock"];

    /// <summary>LMDB's table of readers.</summary>
    public static string LockTableOf(string path) => path + "-lock";

    /// <summary>Where a compaction makes its copy.</summary>
    public static string CompactionOf(string path) => path + ".compact";

    public static long SizeOf(string path) =>
        Suffixes.Select(suffix => new FileInfo(path + suffix)).Where(file => file.Exists).Sum(file => file.Length);

    public static void Delete(string path)
    {
        File.Delete(path);
        DeleteLockTable(path);
    }

    /// <summary>Removes the table of readers of a file that is closed: the next who opens it makes another.</summary>
    public static void DeleteLockTable(string path) => File.Delete(LockTableOf(path));

    /// <summary>
    /// Gives the file of one open store the name of another's. The table of readers goes with it: each store keeps the one that it has
    /// open.
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
