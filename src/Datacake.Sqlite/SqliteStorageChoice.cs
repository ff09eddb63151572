using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>The extension method that selects the SQLite provider.</summary>
public static class SqliteStorageChoice
{
    /// <summary>Stores the data in a SQLite file, which is created if it does not exist.</summary>
    /// <param name="options">The options of the component that needs the store.</param>
    /// <param name="path">
    /// The path of the file. Further files next to it have the same name with <c>-wal</c>, <c>-shm</c> and <c>.lock</c> appended.
    /// </param>
    /// <param name="configure">A callback that changes the options of the file.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of range.</exception>
    public static TOptions UseSqlite<TOptions>(this TOptions options, string path, Action<SqliteStorageOptions>? configure = null)
        where TOptions : IStorageChoice
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var sqlite = SqliteStorageOptions.From(configure);
        sqlite.Validate();
        options.UseStorage(() => new SqliteStorage(path, sqlite));
        return options;
    }
}
