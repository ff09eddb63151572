using System.ComponentModel;

namespace Datacake.Data;

/// <summary>Describes an index in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
public abstract class IndexBuilder
{
    private protected IndexBuilder()
    {
    }

    /// <summary>
    /// Orders from the greatest to the least: all properties, or those for which <paramref name="descending"/>, one for each, is true.
    /// </summary>
    public abstract IndexBuilder IsDescending(params bool[] descending);

    /// <summary>Is a parameter of <see cref="EntityTypeBuilder{T}.HasIndex"/> here.</summary>
    [Obsolete("Give the name to HasIndex(properties, name).", error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public abstract IndexBuilder HasDatabaseName(string name);

    /// <summary>Cannot be here.</summary>
    [Obsolete("No node knows what others add at the same time, so only the key is unique: make what must be unique the key.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract IndexBuilder IsUnique(bool unique = true);
}
