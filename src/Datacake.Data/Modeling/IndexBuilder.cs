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

    /// <summary>Not supported. Only the key is unique.</summary>
    [Obsolete("Only the key is unique, because no node knows what others add at the same time. Make the property that must be unique the key.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract IndexBuilder IsUnique(bool unique = true);
}
