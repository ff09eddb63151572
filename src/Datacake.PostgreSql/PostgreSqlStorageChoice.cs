using Datacake.Storage;

namespace Datacake.PostgreSql;

/// <summary>The extension method that selects the PostgreSQL provider.</summary>
public static class PostgreSqlStorageChoice
{
    /// <summary>Stores the data in a schema of a PostgreSQL database, which is created if it does not exist.</summary>
    /// <param name="options">The options of the component that needs the store.</param>
    /// <param name="connectionString">
    /// The connection string of Npgsql, such as <c>Host=db;Database=shop;Username=hub;Password=…</c>. The database must exist.
    /// </param>
    /// <param name="configure">A callback that changes the options of the store.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentException">The connection string is malformed or names no host, or an option is out of range.</exception>
    public static TOptions UsePostgreSql<TOptions>(
        this TOptions options, string connectionString, Action<PostgreSqlStorageOptions>? configure = null)
        where TOptions : IStorageChoice
    {
        Database.Parse(connectionString);
        var postgreSql = PostgreSqlStorageOptions.From(configure);
        postgreSql.Validate();
        options.UseStorage(() => new PostgreSqlStorage(connectionString, postgreSql));
        return options;
    }

    /// <summary>
    /// Makes PostgreSQL available to an application's configuration:
    /// <c>"Storage": { "Kind": "postgresql", "ConnectionString": "Host=db;Database=shop" }</c>. The other settings are the properties of
    /// <see cref="PostgreSqlStorageOptions"/>.
    /// </summary>
    /// <returns>The same options.</returns>
    public static TOptions AddPostgreSql<TOptions>(this TOptions options)
        where TOptions : IStorageChoice
    {
        options.AddKind(new StorageKind("postgresql", Configure));
        return options;
    }

    static Func<IStorage> Configure(IStorageSettings settings)
    {
        string connectionString = "";
        var postgreSql = new PostgreSqlStorageOptions();
        settings.ReadText(
            "ConnectionString",
            value =>
            {
                Database.Parse(value);
                connectionString = value;
            },
            isRequired: true);
        settings.ReadText(nameof(postgreSql.Schema), value => postgreSql.Schema = value);
        settings.ReadInteger(nameof(postgreSql.MaxSnapshots), value => postgreSql.MaxSnapshots = value);
        settings.ReadTime(nameof(postgreSql.SnapshotTimeout), value => postgreSql.SnapshotTimeout = value);
        settings.ReadTime(nameof(postgreSql.CommandTimeout), value => postgreSql.CommandTimeout = value);
        settings.ReadTime(nameof(postgreSql.ReconnectTimeout), value => postgreSql.ReconnectTimeout = value);
        settings.ReadTime(nameof(postgreSql.LeaseDuration), value => postgreSql.LeaseDuration = value);
        settings.ReadTime(nameof(postgreSql.OwnerTimeout), value => postgreSql.OwnerTimeout = value);
        postgreSql.Validate();
        return () => new PostgreSqlStorage(connectionString, postgreSql);
    }
}
