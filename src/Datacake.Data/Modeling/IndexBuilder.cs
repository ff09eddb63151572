using System.ComponentModel;

namespace Datacake.Data;

/// <summary>The builder of an index in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
public abstract class IndexBuilder
{
    private protected IndexBuilder()
    {
    }

    /// <summary>
    /// Sets descending order for all properties, or for those whose value in <paramref name="descending"/> is true. If there are values,
    /// there must be one for each property.
    /// </summary>
    public abstract IndexBuilder IsDescending(params bool[] descending);

    /// <summary>Not supported. Pass the name to <see cref="EntityTypeBuilder{T}.HasIndex"/>.</summary>
    [Obsolete("Pass the name to HasIndex(properties, name).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract IndexBuilder HasDatabaseName(string name);

    /// <summary>
    /// Sets whether no two entities have the same values. The class must be serial; see <see cref="IndexAttribute.IsUnique"/>.
    /// </summary>
    public abstract IndexBuilder IsUnique(bool unique = true);
}
