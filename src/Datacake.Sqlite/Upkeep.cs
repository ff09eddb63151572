using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>The long operations on a file that is in use, each over a connection of its own, which cancelling interrupts.</summary>
sealed class Upkeep(string path, string description, SqliteStorageOptions options)
{
    // Further findings would only say the same again.
    const int MaxFindings = 10;

    static readonly string[] FileSuffixes = ["", "-wal", "-shm", ".lock"];

    /// <summary>The bytes of all files of the store.</summary>
    public long SizeOnDisk =>
        FileSuffixes.Select(suffix => new FileInfo(path + suffix)).Where(file => file.Exists).Sum(file => file.Length);

    /// <summary>Copies what is committed to a new file.</summary>
    public ValueTask BackUpAsync(string copy, CancellationToken cancellationToken) =>
        DurableFile.CreateAsync(copy, $"backup of the {description}", partial => Run(Copying(partial), cancellationToken));

    /// <summary>Makes the file of a store from a copy.</summary>
    public async ValueTask RestoreAsync(string backup, CancellationToken cancellationToken)
    {
        using var ownership = StorageLock.Acquire(path, description);
        var source = new Upkeep(backup, $"backup '{backup}'", options);
        await DurableFile.CreateAsync(
            path,
            description,
            async partial =>
            {
                await source.Run(Copying(partial), cancellationToken).ConfigureAwait(false);
                var copy = new SqliteStorage(partial);
                await using (copy.ConfigureAwait(false))
                    await copy.CheckAsync(cancellationToken).ConfigureAwait(false);
                File.Delete(partial + ".lock");
                // SQLite would take the log of a file that is gone for that of the new one.
                File.Delete(path + "-wal");
                File.Delete(path + "-shm");
            }).ConfigureAwait(false);
    }

    /// <summary>Fails unless the file is sound, as SQLite sees it and as this library does.</summary>
    public ValueTask CheckAsync(CancellationToken cancellationToken) => Run(Check, cancellationToken);

    /// <summary>SQLite forces none of the new file to the disk: the caller does.</summary>
    static Action<Connection> Copying(string target) =>
        connection => connection.Execute($"VACUUM INTO '{target.Replace("'", "''", StringComparison.Ordinal)}'");

    /// <summary>Checks that the pages of the file belong together: a page in the place of another one would hide the entries of both.</summary>
    public static void CheckStructure(Connection connection)
    {
        List<string> findings = connection.QueryAll($"PRAGMA integrity_check({MaxFindings})");
        if (findings is not ["ok"])
            throw connection.Damaged(string.Join("; ", findings));
    }

    static void Check(Connection connection)
    {
        // Both in one transaction, so that they see one moment.
        connection.Execute("BEGIN");
        CheckStructure(connection);
        long missing = connection.QueryInteger(
            "SELECT count(*) FROM entries WHERE typeof(value) = 'integer' AND value NOT IN (SELECT id FROM large_values)");
        long unused = connection.QueryInteger(
            "SELECT count(*) FROM large_values WHERE id NOT IN (SELECT value FROM entries WHERE typeof(value) = 'integer')");
        if (missing + unused > 0)
            throw connection.Damaged($"{missing} large values are missing, and {unused} belong to no entry");
    }

    ValueTask Run(Action<Connection> operation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var connection = new Connection(path, writes: false, description, options);
        using (connection.InterruptWhen(cancellationToken))
            operation(connection);
        return ValueTask.CompletedTask;
    }
}
