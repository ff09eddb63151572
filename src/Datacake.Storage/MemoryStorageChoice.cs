namespace Datacake.Storage;

/// <summary>Chooses the in-memory provider.</summary>
public static class MemoryStorageChoice
{
    /// <summary>Keeps the data in memory: for tests, caches, and nodes whose data lives on other nodes.</summary>
    public static TOptions UseMemory<TOptions>(this TOptions options)
        where TOptions : IStorageChoice
    {
        options.UseStorage(static () => new MemoryStorage());
        return options;
    }
}
