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
}
