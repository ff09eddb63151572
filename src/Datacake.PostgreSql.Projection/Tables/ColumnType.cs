using Npgsql;
using NpgsqlTypes;

namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>A type of columns, and the way in which its values are written.</summary>
/// <param name="Sql">The name of the type, as the server shows it.</param>
/// <param name="WriteAsync">Writes a value that is not null.</param>
sealed record ColumnType(string Sql, Func<NpgsqlBinaryImporter, object, CancellationToken, Task> WriteAsync)
{
    const char Replacement = '\uFFFD';

    public static ColumnType Json { get; } = new("jsonb", static (copy, value, token) => copy.WriteAsync((string)value, NpgsqlDbType.Jsonb, token));

    public static ColumnType Text { get; } = new("text", static (copy, value, token) => copy.WriteAsync(TextOf((string)value), NpgsqlDbType.Text, token));

    public static ColumnType Integer { get; } = new("integer", static (copy, value, token) => copy.WriteAsync(Convert.ToInt32(value, null), NpgsqlDbType.Integer, token));

    static readonly ColumnType SmallInteger = new("smallint", static (copy, value, token) => copy.WriteAsync(Convert.ToInt16(value, null), NpgsqlDbType.Smallint, token));

    static readonly ColumnType BigInteger = new("bigint", static (copy, value, token) => copy.WriteAsync(Convert.ToInt64(value, null), NpgsqlDbType.Bigint, token));

    static readonly Dictionary<Type, ColumnType> ByType = new()
    {
        [typeof(string)] = Text,
        [typeof(char)] = new("text", static (copy, value, token) => copy.WriteAsync(TextOf(((char)value).ToString()), NpgsqlDbType.Text, token)),
        [typeof(bool)] = new("boolean", static (copy, value, token) => copy.WriteAsync((bool)value, NpgsqlDbType.Boolean, token)),
        [typeof(sbyte)] = SmallInteger,
        [typeof(byte)] = SmallInteger,
        [typeof(short)] = SmallInteger,
        [typeof(ushort)] = Integer,
        [typeof(int)] = Integer,
        [typeof(uint)] = BigInteger,
        [typeof(long)] = BigInteger,
        [typeof(ulong)] = new("numeric", static (copy, value, token) => copy.WriteAsync((decimal)(ulong)value, NpgsqlDbType.Numeric, token)),
        [typeof(decimal)] = new("numeric", static (copy, value, token) => copy.WriteAsync((decimal)value, NpgsqlDbType.Numeric, token)),
        [typeof(float)] = new("real", static (copy, value, token) => copy.WriteAsync((float)value, NpgsqlDbType.Real, token)),
        [typeof(double)] = new("double precision", static (copy, value, token) => copy.WriteAsync((double)value, NpgsqlDbType.Double, token)),
        [typeof(Guid)] = new("uuid", static (copy, value, token) => copy.WriteAsync((Guid)value, NpgsqlDbType.Uuid, token)),
        [typeof(byte[])] = new("bytea", static (copy, value, token) => copy.WriteAsync((byte[])value, NpgsqlDbType.Bytea, token)),
        // A time of unknown kind counts as one in UTC, as it does in a key.
        [typeof(DateTime)] = new(
            "timestamp with time zone", static (copy, value, token) => copy.WriteAsync(DateTime.SpecifyKind((DateTime)value, DateTimeKind.Utc), NpgsqlDbType.TimestampTz, token)),
        [typeof(DateTimeOffset)] = new(
            "timestamp with time zone", static (copy, value, token) => copy.WriteAsync(((DateTimeOffset)value).UtcDateTime, NpgsqlDbType.TimestampTz, token)),
        [typeof(DateOnly)] = new("date", static (copy, value, token) => copy.WriteAsync((DateOnly)value, NpgsqlDbType.Date, token)),
        [typeof(TimeOnly)] = new("time without time zone", static (copy, value, token) => copy.WriteAsync((TimeOnly)value, NpgsqlDbType.Time, token)),
        [typeof(TimeSpan)] = new("interval", static (copy, value, token) => copy.WriteAsync((TimeSpan)value, NpgsqlDbType.Interval, token)),
    };

    static readonly ColumnType EnumText = new("text", static (copy, value, token) => copy.WriteAsync(value.ToString()!, NpgsqlDbType.Text, token));

    /// <summary>Returns the type of a column for values of a type that a store has.</summary>
    public static ColumnType Of(Type type, bool areEnumsIntegers) =>
        !type.IsEnum ? ByType[type] : areEnumsIntegers ? ByType[Enum.GetUnderlyingType(type)] is var integers && Enum.GetUnderlyingType(type) == typeof(ulong) ? UnsignedEnum : integers : EnumText;

    static ColumnType UnsignedEnum { get; } = new("numeric", static (copy, value, token) => copy.WriteAsync((decimal)Convert.ToUInt64(value, null), NpgsqlDbType.Numeric, token));

    /// <summary>Returns a text without the null character, which PostgreSQL cannot store.</summary>
    public static string TextOf(string text) => text.Contains('\0', StringComparison.Ordinal) ? text.Replace('\0', Replacement) : text;

    /// <inheritdoc/>
    public override string ToString() => Sql;
}
