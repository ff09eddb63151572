using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>The long-running operations on an open file. Each uses its own connection, and cancellation interrupts it.</summary>
sealed class Upkeep(string path, string description, SqliteStorageOptions options)
{
    // Further findings would not add anything useful.
    const int MaxFindings = 10;

    static readonly string[] FileSuffixes = ["", "-wal", "-shm", ".lock"];

    /// <summary>Gets the total size of all files of the store, in bytes.</summary>
    public long SizeOnDisk =>
        FileSuffixes.Select(suffix => new FileInfo(path + suffix)).Where(file => file.Exists).Sum(file => file.Length);

    /// <summary>Copies all committed data to a new file.</summary>
    public ValueTask BackUpAsync(string copy, CancellationToken cancellationToken) =>
        DurableFile.CreateAsync(copy, $"backup of the {description}", partial => Run(Copying(partial), cancellationToken));

    /// <summary>Creates the file of a store from a backup.</summary>
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
                {
                    await copy.CheckAsync(cancellationToken).ConfigureAwait(false);
                    await RestoreMark.WriteAsync(copy, cancellationToken).ConfigureAwait(false);
                }
                File.Delete(partial + ".lock");
                // SQLite would apply the leftover log of a removed file to the new one.
                File.Delete(path + "-wal");
                File.Delete(path + "-shm");
            }).ConfigureAwait(false);
    }

    /// <summary>Throws unless the file is sound according to SQLite and to the rules of this library.</summary>
    public ValueTask CheckAsync(CancellationToken cancellationToken) => Run(CheckContents, cancellationToken);

    /// <summary>Returns the operation that copies the store to a new file. SQLite does not flush that file; the caller must.</summary>
    static Action<Connection> Copying(string target) =>
        connection => connection.Execute($"VACUUM INTO '{target.Replace("'", "''", StringComparison.Ordinal)}'");

    /// <summary>
    /// Checks that the pages of the file belong together. A page in the place of another one would hide the entries of both.
    /// </summary>
    public static void CheckStructure(Connection connection)
    {
        List<string> findings = connection.QueryAll($"PRAGMA integrity_check({MaxFindings})");
        if (findings is not ["ok"])
            throw connection.Damaged(string.Join("; ", findings));
    }

    /// <summary>Checks the structure, and that entries and large values belong together. All checks see the same state.</summary>
    public static void CheckContents(Connection connection)
    {
        connection.Execute("BEGIN");
        CheckStructure(connection);
        long missing = connection.QueryInteger(
            "SELECT count(*) FROM entries WHERE typeof(value) = 'integer' AND value NOT IN (SELECT id FROM large_values)");
        long unused = connection.QueryInteger(
            "SELECT count(*) FROM large_values WHERE id NOT IN (SELECT value FROM entries WHERE typeof(value) = 'integer')");
        if (missing + unused > 0)
            throw connection.Damaged($"{missing} large values are missing, and {unused} do not belong to any entry");
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
