using System.Text;

namespace Datacake.PostgreSql;

/// <summary>The options for opening a store in a PostgreSQL database.</summary>
public sealed class PostgreSqlStorageOptions
{
    const int MaxSchemaBytes = 63;

    /// <summary>
    /// Gets or sets the schema that contains the tables of the store, and nothing else. It is created if it does not exist. The default is
    /// <c>datacake</c>. Give each store of a database its own schema. The name has at most 63 bytes in UTF-8 and is case-sensitive.
    /// </summary>
    public string Schema { get; set; } = "datacake";

    /// <summary>
    /// Gets or sets the maximum number of open snapshots, and thus of connections that read. The default is 32. One more connection writes.
    /// A snapshot over the limit waits for another one to be disposed, for at most <see cref="SnapshotTimeout"/>. The server must allow as
    /// many connections (<c>max_connections</c>).
    /// </summary>
    public int MaxSnapshots { get; set; } = 32;

    /// <summary>Gets or sets how long opening a snapshot waits while <see cref="MaxSnapshots"/> are open. The default is 30 seconds.</summary>
    public TimeSpan SnapshotTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long a read or a commit waits for an answer of the server. The default is 30 seconds. The operations of maintenance
    /// have no limit.
    /// </summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long a call waits for the server to come back after a connection is lost, before the call fails. The default is 30
    /// seconds.
    /// </summary>
    public TimeSpan ReconnectTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long an owner keeps the store without renewing its lease, by the clock of the server. The default is 15 seconds.
    /// Each commit renews the lease, and so does a timer. When the lease of a paused or disconnected owner has ended, another process can
    /// take the store over; what the former owner then commits is refused. The store of a process that has ended can be opened at once.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets or sets how long opening a store waits for its present owner to close it. The default is 2 seconds. Increase it if a new process
    /// starts before the previous one has ended.
    /// </summary>
    public TimeSpan OwnerTimeout { get; set; } = TimeSpan.FromSeconds(2);

    internal static PostgreSqlStorageOptions From(Action<PostgreSqlStorageOptions>? configure)
    {
        var options = new PostgreSqlStorageOptions();
        configure?.Invoke(options);
        return options;
    }

    internal PostgreSqlStorageOptions Clone() => (PostgreSqlStorageOptions)MemberwiseClone();

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Schema, nameof(Schema));
        if (Schema.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(Schema) > MaxSchemaBytes)
            throw new ArgumentException($"The name of a schema has at most {MaxSchemaBytes} bytes, none of which is 0.", nameof(Schema));
        if (Schema.StartsWith("pg_", StringComparison.Ordinal) || Schema is "public" or "information_schema")
            throw new ArgumentException($"The schema '{Schema}' is not for stores. Choose another name.", nameof(Schema));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxSnapshots, nameof(MaxSnapshots));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxSnapshots, 10_000, nameof(MaxSnapshots));
        Check(SnapshotTimeout, TimeSpan.Zero, nameof(SnapshotTimeout));
        Check(CommandTimeout, TimeSpan.FromSeconds(1), nameof(CommandTimeout));
        Check(ReconnectTimeout, TimeSpan.Zero, nameof(ReconnectTimeout));
        Check(LeaseDuration, TimeSpan.FromSeconds(1), nameof(LeaseDuration));
        Check(OwnerTimeout, TimeSpan.Zero, nameof(OwnerTimeout));
    }

    static void Check(TimeSpan value, TimeSpan least, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1), name);
    }
}
