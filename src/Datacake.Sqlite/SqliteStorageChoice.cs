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

    /// <summary>
    /// Makes SQLite available to an application's configuration: <c>"Storage": { "Kind": "sqlite", "Path": "shop.db" }</c>. The other
    /// settings are the properties of <see cref="SqliteStorageOptions"/>.
    /// </summary>
    /// <returns>The same options.</returns>
    public static TOptions AddSqlite<TOptions>(this TOptions options)
        where TOptions : IStorageChoice
    {
        options.AddKind(new StorageKind("sqlite", Configure));
        return options;
    }

    static Func<IStorage> Configure(IStorageSettings settings)
    {
        string path = "";
        var sqlite = new SqliteStorageOptions();
        settings.ReadText("Path", value => path = value, isRequired: true);
        settings.ReadLong(nameof(sqlite.CacheBytes), value => sqlite.CacheBytes = value);
        settings.ReadInteger(nameof(sqlite.PageSize), value => sqlite.PageSize = value);
        settings.ReadInteger(nameof(sqlite.MaxPooledReaders), value => sqlite.MaxPooledReaders = value);
        settings.ReadLong(nameof(sqlite.CheckpointBytes), value => sqlite.CheckpointBytes = value);
        settings.ReadTime(nameof(sqlite.BusyTimeout), value => sqlite.BusyTimeout = value);
        settings.ReadLong(nameof(sqlite.MaxFileBytes), value => sqlite.MaxFileBytes = value);
        settings.ReadBoolean(nameof(sqlite.CheckOnOpen), value => sqlite.CheckOnOpen = value);
        sqlite.Validate();
        return () => new SqliteStorage(path, sqlite);
    }
}
