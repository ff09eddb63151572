using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>Chooses the LMDB provider.</summary>
public static class LmdbStorageChoice
{
    /// <summary>Keeps the data in an LMDB file, which is created if it is not there.</summary>
    /// <param name="options">The options of what needs the store.</param>
    /// <param name="path">The file. Others are kept beside it: the same name with <c>-lock</c> and <c>.lock</c> appended.</param>
    /// <param name="configure">Changes how the file is opened.</param>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of its range.</exception>
    public static TOptions UseLmdb<TOptions>(this TOptions options, string path, Action<LmdbStorageOptions>? configure = null)
        where TOptions : IStorageChoice
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var lmdb = new LmdbStorageOptions();
        configure?.Invoke(lmdb);
        lmdb.Validate();
        options.UseStorage(() => new LmdbStorage(path, lmdb));
        return options;
    }
}
