using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>The extension method that selects the LMDB provider.</summary>
public static class LmdbStorageChoice
{
    /// <summary>Stores the data in an LMDB file, which is created if it does not exist.</summary>
    /// <param name="options">The options of the component that needs the store.</param>
    /// <param name="path">
    /// The path of the file. Further files next to it have the same name with <c>-lock</c> and <c>.lock</c> appended.
    /// </param>
    /// <param name="configure">A callback that changes the options of the file.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of range.</exception>
    public static TOptions UseLmdb<TOptions>(this TOptions options, string path, Action<LmdbStorageOptions>? configure = null)
        where TOptions : IStorageChoice
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var lmdb = LmdbStorageOptions.From(configure);
        lmdb.Validate();
        options.UseStorage(() => new LmdbStorage(path, lmdb));
        return options;
    }

    /// <summary>
    /// Makes LMDB available to an application's configuration: <c>"Storage": { "Kind": "lmdb", "Path": "shop.mdb" }</c>. The other settings
    /// are the properties of <see cref="LmdbStorageOptions"/>.
    /// </summary>
    /// <returns>The same options.</returns>
    public static TOptions AddLmdb<TOptions>(this TOptions options)
        where TOptions : IStorageChoice
    {
        options.AddKind(new StorageKind("lmdb", Configure));
        return options;
    }

    static Func<IStorage> Configure(IStorageSettings settings)
    {
        string path = "";
        var lmdb = new LmdbStorageOptions();
        settings.ReadText("Path", value => path = value, isRequired: true);
        settings.ReadLong(nameof(lmdb.MapBytes), value => lmdb.MapBytes = value);
        settings.ReadLong(nameof(lmdb.MaxFileBytes), value => lmdb.MaxFileBytes = value);
        settings.ReadInteger(nameof(lmdb.MaxSnapshots), value => lmdb.MaxSnapshots = value);
        settings.ReadBoolean(nameof(lmdb.RiskFileOnPowerLoss), value => lmdb.RiskFileOnPowerLoss = value);
        settings.ReadBoolean(nameof(lmdb.CheckOnOpen), value => lmdb.CheckOnOpen = value);
        lmdb.Validate();
        return () => new LmdbStorage(path, lmdb);
    }
}
