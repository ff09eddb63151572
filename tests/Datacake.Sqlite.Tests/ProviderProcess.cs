using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite.Tests;

/// <summary>
/// A process that chooses another SQLitePCLRaw provider and uses a store, because a process keeps the library of its first store. It runs the
/// same executable as the tests, whose entry point calls <see cref="TryRunAsync"/> before it runs any test.
/// </summary>
static class ProviderProcess
{
    /// <summary>The SQLite of the operating system, chosen before a store is opened.</summary>
    public const string System = "system";

    /// <summary>A library that cannot be found by the name of the provider, chosen before a store is opened.</summary>
    public const string Unnamed = "unnamed";

    /// <summary>A library that is chosen while a store is open.</summary>
    public const string Later = "later";

    /// <summary>The output of a process whose store works. The version of the store's SQLite follows.</summary>
    public const string Works = "works with ";

    const string Argument = "--provider";
    const string Name = "sqlite3";

    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Gets the handle of the operating system's SQLite. Without the package for developers, Linux has it only under its versioned name.</summary>
    public static bool TryLoadSystem(out nint library) =>
        NativeLibrary.TryLoad(Name, typeof(raw).Assembly, searchPath: null, out library) || NativeLibrary.TryLoad($"lib{Name}.so.0", out library);

    /// <summary>Returns the version of a loaded SQLite library.</summary>
    public static unsafe string VersionOf(nint library) =>
        Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(library, "sqlite3_libversion"))())!;

    /// <summary>Runs as such a process if the arguments ask for it.</summary>
    public static async Task<bool> TryRunAsync(string[] args)
    {
        if (args is not [Argument, var choice, var folder])
            return false;
        try
        {
            if (choice != Later)
                Choose(choice, folder);
            await using var storage = new SqliteStorage(Path.Combine(folder, "store.db"));
            await UseAsync(storage, 1);
            if (choice == Later)
                Choose(choice, folder);
            // A connection of the application may also set the provider of the package again.
            using (var other = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(folder, "other.db")}"))
                other.Open();
            await UseAsync(storage, 2);
            await storage.CompactAsync();
            await storage.CheckAsync();
            using var connection = new Connection(Path.Combine(folder, "store.db"), writes: false, "connection", new SqliteStorageOptions());
            Console.WriteLine(Works + connection.Query("SELECT sqlite_version()"));
        }
        catch (StorageException exception)
        {
            Console.WriteLine($"{exception.Error}: {exception.Message}");
        }
        return true;
    }

    /// <summary>Runs the process, and returns its output.</summary>
    public static async Task<string> RunAsync(string choice, string folder, CancellationToken cancellationToken)
    {
        string host = Environment.ProcessPath!;
        string[] assembly = Path.GetFileNameWithoutExtension(host) == "dotnet" ? [Assembly.GetEntryAssembly()!.Location] : [];
        using var process = Process.Start(new ProcessStartInfo(host, [.. assembly, Argument, choice, folder]) { RedirectStandardOutput = true })!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        string output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    static void Choose(string choice, string folder)
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_sqlite3).Assembly, (_, _, _) =>
            choice != System ? NativeLibrary.Load(CopyOfLibrary(folder)) : TryLoadSystem(out nint library) ? library : 0);
        raw.SetProvider(new SQLite3Provider_sqlite3());
    }

    /// <summary>Returns the path of a copy of the library in the package, which is another library for the operating system.</summary>
    static string CopyOfLibrary(string folder)
    {
        string copy = Path.Combine(folder, "copy");
        if (!File.Exists(copy))
        {
            string folders = (string)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES")!;
            string library = folders.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(directory => Directory.GetFiles(directory, "*e_sqlite3.*")).First();
            File.Copy(library, copy);
        }
        return copy;
    }

    static async Task UseAsync(SqliteStorage storage, byte value)
    {
        var batch = new WriteBatch();
        batch.Put("key"u8.ToArray(), new byte[] { value });
        batch.Put("large"u8.ToArray(), new byte[100_000]);
        await storage.CommitAsync(batch, Durability.Flushed);
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync();
        if (await snapshot.GetAsync("key"u8.ToArray()) is not { Length: 1 } found || found.Span[0] != value)
            throw new InvalidOperationException("The store does not return what was committed.");
    }
}
