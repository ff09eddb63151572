using System.Runtime.InteropServices;
using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// The native library of SQLite that this process uses for its stores: that of the provider which the application has given to SQLitePCLRaw
/// before it opens its first store, or else e_sqlite3.
/// </summary>
static unsafe class SqliteLibrary
{
    // The name sqlite_schema is from 3.33; everything else that the store uses is older.
    const int MinVersion = 3_033_000;

    // Found once: a connection must stay with its library when the application chooses another provider later. A failure is not kept.
    static readonly Lazy<nint> Handle = new(Find, LazyThreadSafetyMode.PublicationOnly);

    static SqliteLibrary() => NativeLibrary.SetDllImportResolver(
        typeof(Native).Assembly, (name, _, _) => name == Native.Library ? Handle.Value : 0);

    /// <summary>Loads the library, unless it is loaded already.</summary>
    /// <param name="description">The description of the store that needs the library, for error messages.</param>
    /// <exception cref="StorageException">The library cannot be loaded, or cannot be used for a store.</exception>
    public static void Load(string description)
    {
        try
        {
            _ = Handle.Value;
        }
        catch (Exception exception) when (exception is DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            throw new StorageException(
                StorageError.EngineMissing,
                $"The {description} cannot be opened, because no native library of SQLite can be used: {exception.Message} "
                    + "Publish the application for this platform, including the files of the package SQLitePCLRaw.lib.e_sqlite3, or choose a "
                    + "SQLitePCLRaw provider whose library can be loaded by its name.",
                exception);
        }
    }

    /// <summary>Returns the handle of the library that the provider uses.</summary>
    static nint Find()
    {
        string name = NameOfProviderLibrary();
        string provider = $"the SQLitePCLRaw provider of this process uses a library '{name}' with SQLite {raw.sqlite3_libversion().utf8_to_string()}";
        if (raw.sqlite3_libversion_number() < MinVersion)
            throw new DllNotFoundException($"{provider}, but the store needs SQLite 3.33 or later.");
        List<string> others = [];
        fixed (byte* version = raw.sqlite3_libversion())
        {
            // The provider may have found its library by other means than its name. Without the package for developers, Linux has the library of
            // the system only under its versioned name.
            foreach (string candidate in (string[])[name, $"lib{name}.so.0"])
            {
                if (!NativeLibrary.TryLoad(candidate, typeof(raw).Assembly, searchPath: null, out nint library)
                    || !NativeLibrary.TryGetExport(library, "sqlite3_libversion", out nint export))
                    continue;
                // Each library has its own text of its version. If the addresses are equal, the library is the same.
                byte* found = ((delegate* unmanaged[Cdecl]<byte*>)export)();
                if (found == version)
                    return library;
                others.Add($"'{candidate}' is another library, with SQLite {Marshal.PtrToStringUTF8((nint)found)}");
            }
        }
        if (others.Count == 0)
            others.Add($"no library '{name}' is found");
        throw new DllNotFoundException($"{provider}, but {string.Join(", and ", others)}.");
    }

    static string NameOfProviderLibrary()
    {
        try
        {
            return raw.GetNativeLibraryName();
        }
        catch (Exception)
        {
            // There is no provider yet, for which SQLitePCLRaw has no exception of its own.
            Batteries_V2.Init();
            return raw.GetNativeLibraryName();
        }
    }
}
