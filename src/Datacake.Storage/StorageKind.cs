namespace Datacake.Storage;

/// <summary>
/// A storage provider that settings can select by a name. A provider's package has a method that adds its kind to the options of a
/// component (<see cref="IStorageChoice.AddKind"/>), such as <c>options.AddSqlite()</c>.
/// </summary>
public sealed class StorageKind
{
    readonly Func<IStorageSettings, Func<IStorage>> _configure;

    /// <summary>Creates a kind.</summary>
    /// <param name="name">The name that settings select it by, in lower case.</param>
    /// <param name="configure">
    /// Reads all settings of the provider, opens nothing, and returns the function that opens the store. Throws an
    /// <see cref="ArgumentException"/> that names the setting as its parameter if a value is out of range. Can be called several times.
    /// </param>
    public StorageKind(string name, Func<IStorageSettings, Func<IStorage>> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        Name = name;
        _configure = configure;
    }

    /// <summary>Gets the kind that keeps the data in memory. It is always available.</summary>
    public static StorageKind Memory { get; } = new("memory", static _ => static () => new MemoryStorage());

    /// <summary>Gets the name that settings select the kind by.</summary>
    public string Name { get; }

    /// <summary>Reads the settings and returns the function that opens the store.</summary>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public Func<IStorage> Configure(IStorageSettings settings) => _configure(settings);
}
