namespace Datacake.Storage;

/// <summary>
/// The options of something that needs a store. A provider's package adds its <c>Use…</c> method to it
/// (<c>options.UseSqlite("shop.db")</c>), so that providers and what uses them do not know each other.
/// </summary>
public interface IStorageChoice
{
    /// <summary>Sets how the store is opened. The owner of the options opens it once, and disposes it.</summary>
    void UseStorage(Func<IStorage> open);
}
