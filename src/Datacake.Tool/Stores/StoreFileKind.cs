using Datacake.Tool.Terminal;

namespace Datacake.Tool.Stores;

/// <summary>The kinds of store files.</summary>
enum StoreFileKind
{
    /// <summary>A file of Datacake.Sqlite.</summary>
    Sqlite,

    /// <summary>A file of Datacake.Lmdb.</summary>
    Lmdb,
}

/// <summary>Finds the kind of a store file.</summary>
static class StoreFileKinds
{
    const int ExaminedLength = 64;

    /// <summary>Returns the kind of a file by its first bytes.</summary>
    /// <exception cref="ToolException">The file does not exist, cannot be read, or is of no known kind.</exception>
    public static StoreFileKind Of(string path)
    {
        byte[] start = new byte[ExaminedLength];
        int length;
        try
        {
            using var file = File.OpenRead(path);
            length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ToolException(ExitCode.Usage, $"The file {path} does not exist. Check the path.", e);
        }
        var bytes = start.AsSpan(0, length);
        if (bytes.StartsWith("SQLite format 3\0"u8))
            return StoreFileKind.Sqlite;
        // The magic number of LMDB follows the header of the first page, whose length depends on the version.
        return bytes.IndexOf((ReadOnlySpan<byte>)[0xDE, 0xC0, 0xEF, 0xBE]) > 0
            ? StoreFileKind.Lmdb
            : throw new ToolException(ExitCode.Failed, $"{path} is neither a SQLite nor an LMDB file. Pass the file of a store or of a backup.");
    }
}
