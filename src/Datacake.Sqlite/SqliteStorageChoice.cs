using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>Chooses the SQLite provider.</summary>
public static class SqliteStorageChoice
{
    /// <summary>Keeps the data in a SQLite file, which is created if it is not there.</summary>
    /// <param name="options">The options of what needs the store.</param>
    /// <param name="path">
    /// The file. SQLite keeps others beside it: the same name with <c>-wal</c>, <c>-shm</c> and <c>.lock</c> appended.
    /// </param>
    /// <param name="configure">Changes how the file is opened.</param>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of its range.</exception>
    public static TOptions UseSqlite<TOptions>(this TOptions options, string path, Action<SqliteStorageOptions>? configure = null)
        where TOptions : IStorageChoice
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var sqlite = new SqliteStorageOptions();
        configure?.Invoke(sqlite);
        sqlite.Validate();
        options.UseStorage(() => new SqliteStorage(path, sqlite));
        return options;
    }
}
