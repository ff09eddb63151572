namespace Datacake.Storage;

/// <summary>The extension method that selects the in-memory provider.</summary>
public static class MemoryStorageChoice
{
    /// <summary>Keeps the data in memory. Suitable for tests, caches, and nodes whose data also lives on other nodes.</summary>
    /// <param name="options">The options of the component that needs the store.</param>
    /// <returns>The same options.</returns>
    public static TOptions UseMemory<TOptions>(this TOptions options)
        where TOptions : IStorageChoice
    {
        options.UseStorage(static () => new MemoryStorage());
        return options;
    }
}
