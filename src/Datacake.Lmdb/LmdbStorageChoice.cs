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
}
