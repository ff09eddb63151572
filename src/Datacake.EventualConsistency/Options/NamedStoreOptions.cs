using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>The options of a named store: its storage and its settings.</summary>
public sealed class NamedStoreOptions : IStorageChoice
{
    internal NamedStoreOptions()
    {
    }

    /// <summary>
    /// Gets the settings of the store. They have the defaults of every store, except that <see cref="ReplicatedStoreOptions.MaxCacheLength"/> is 4 MiB, because a
    /// node may hold many stores. A named store at which nothing happens reports less often than <see cref="ReplicatedStoreOptions.ReportInterval"/>, down to
    /// once in 120 intervals.
    /// </summary>
    public ReplicatedStoreOptions Settings { get; } = new() { MaxCacheLength = 4 * 1024 * 1024 };

    internal Func<IStorage>? OpenStorage { get; private set; }

    /// <summary>Sets the function that opens the storage. If it is set several times, the last one applies. The node disposes the storage.</summary>
    public void UseStorage(Func<IStorage> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        OpenStorage = open;
    }

    /// <summary>Does nothing: a named store is not selected by the application's configuration.</summary>
    void IStorageChoice.AddKind(StorageKind kind)
    {
    }
}
