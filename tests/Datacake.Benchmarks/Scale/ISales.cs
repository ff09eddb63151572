namespace Datacake.Benchmarks.Scale;

/// <summary>The operations of the cells of large stores on one system. Each call is a separate unit of work.</summary>
interface ISales : IAsyncDisposable
{
    /// <summary>Adds sales with consecutive ids, in the way that is best for many. If a region is given, it is that of all.</summary>
    Task AddAsync(long firstId, int count, string? region = null);

    /// <summary>Counts the sales of a region by an index.</summary>
    Task<long> CountAsync(string region);

    /// <summary>Returns some sales in the order of an index, after others.</summary>
    Task<List<Sale>> PageByTimeAsync(int skip, int take);

    /// <summary>Returns the sum of an indexed property.</summary>
    Task<long> SumOfAmountsAsync();

    /// <summary>Returns the number of sales for each value of an indexed property.</summary>
    Task<Dictionary<string, int>> CountByRegionAsync();

    /// <summary>Returns the sum of a property without an index.</summary>
    Task<long> SumOfQuantitiesAsync();

    /// <summary>Returns the sum of a property for each value of another one, both without an index.</summary>
    Task<Dictionary<string, long>> QuantityByClerkAsync();

    /// <summary>Returns the sales with the greatest values of a property without an index.</summary>
    Task<List<Sale>> TopByQuantityAsync(int take);

    /// <summary>Sets a property of all sales of a region. Returns their number.</summary>
    Task<long> UpdateAsync(string region, string note);

    /// <summary>Deletes the sales of a region. Returns their number.</summary>
    Task<long> DeleteAsync(string region);
}
