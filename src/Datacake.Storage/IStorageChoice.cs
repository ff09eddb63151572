namespace Datacake.Storage;

/// <summary>
/// Options of a component that needs a store. Each provider's package adds an extension method, such as
/// <c>options.UseSqlite("shop.db")</c>, so that providers and the components that use them stay independent.
/// </summary>
public interface IStorageChoice
{
    /// <summary>Sets the function that opens the store. The owner of the options calls it once, and disposes the store.</summary>
    void UseStorage(Func<IStorage> open);

    /// <summary>
    /// Makes a kind of storage available to settings that select one by its name, such as an application's configuration. Each provider's
    /// package adds an extension method, such as <c>options.AddSqlite()</c>.
    /// </summary>
    void AddKind(StorageKind kind);
}
