using System.Runtime.InteropServices;

namespace Datacake.Lmdb;

/// <summary>
/// The layout of an LMDB file. Versions 0.9 and 1.x differ in the length of the page header, in the origin of offsets, and in the padding
/// of keys.
/// </summary>
/// <remarks>See MDB_page, MDB_meta, MDB_db and MDB_node in mdb.c. All numbers are in the byte order of the machine.</remarks>
readonly record struct FileLayout(int HeaderBytes, int OffsetBase, bool PadsKeys)
{
    /// <summary>The magic number that follows the header of each of the first two pages.</summary>
    public const uint Magic = 0xBEEFC0DE;

    /// <summary>The number of bytes to read at the start of a file: the longest page header and the metadata after it.</summary>
    public const int RootBytes = 24 + FileRoot.Bytes;

    public static FileLayout Of09 => new(HeaderBytes: 16, OffsetBase: 0, PadsKeys: false);

    public static FileLayout Of1 => new(HeaderBytes: 24, OffsetBase: 24, PadsKeys: true);

    /// <summary>Returns the layout of a file that begins with these bytes, or <see langword="null"/> if it is not an LMDB file.</summary>
    public static FileLayout? Detect(ReadOnlySpan<byte> start)
    {
        foreach (FileLayout layout in (ReadOnlySpan<FileLayout>)[Of09, Of1])
        {
            if (start.Length >= layout.HeaderBytes + sizeof(uint) && MemoryMarshal.Read<uint>(start[layout.HeaderBytes..]) == Magic)
                return layout;
        }
        return null;
    }

    public int PayloadOffset(int keyLength) => PadsKeys ? (keyLength + 1) & ~1 : keyLength;
}

/// <summary>
/// The contents of one of the two metadata pages, which locate the trees of a file. The page with the later transaction is valid.
/// </summary>
readonly record struct FileRoot(int PageSize, TreeRoot Free, TreeRoot Main, long LastPage, long Transaction)
{
    public const int Bytes = 136;

    public static FileRoot Read(ReadOnlySpan<byte> bytes) => new(
        PageSize: MemoryMarshal.Read<int>(bytes[24..]),
        Free: TreeRoot.Read(bytes[24..]),
        Main: TreeRoot.Read(bytes[72..]),
        LastPage: MemoryMarshal.Read<long>(bytes[120..]),
        Transaction: MemoryMarshal.Read<long>(bytes[128..]));
}

/// <summary>The root page of a tree, and the number of its pages of each kind.</summary>
readonly record struct TreeRoot(ushort Flags, int Depth, TreeSize Size, long Page)
{
    /// <summary>The page number that marks an empty tree.</summary>
    public const long None = -1;

    public static TreeRoot Read(ReadOnlySpan<byte> bytes) => new(
        Flags: MemoryMarshal.Read<ushort>(bytes[4..]),
        Depth: MemoryMarshal.Read<ushort>(bytes[6..]),
        Size: new TreeSize(
            MemoryMarshal.Read<long>(bytes[8..]),
            MemoryMarshal.Read<long>(bytes[16..]),
            MemoryMarshal.Read<long>(bytes[24..]),
            MemoryMarshal.Read<long>(bytes[32..])),
        Page: MemoryMarshal.Read<long>(bytes[40..]));
}

/// <summary>The number of pages and entries of a tree.</summary>
record struct TreeSize(long BranchPages, long LeafPages, long OverflowPages, long Entries);

/// <summary>The kind of a page, as flags in its header.</summary>
[Flags]
enum PageKinds : ushort
{
    Branch = 0x01,
    Leaf = 0x02,
    Overflow = 0x04,
    All = 0x6F,
}

/// <summary>The kind of an entry's value, as flags in the header of its node.</summary>
[Flags]
enum NodeKinds : ushort
{
    None = 0,
    OnOverflowPages = 0x01,
    Tree = 0x02,
    Duplicates = 0x04,
}
