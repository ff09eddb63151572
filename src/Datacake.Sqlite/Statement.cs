namespace Datacake.Sqlite;

/// <summary>A prepared statement of a <see cref="Connection"/>, which closes it.</summary>
readonly struct Statement
{
    /// <summary>The handle of SQLite, or 0 for none.</summary>
    public readonly nint Handle;
}
