using System.Runtime.InteropServices;

namespace Datacake.Lmdb;

/// <summary>How the bytes of an LMDB file are read: 0.9 and 1.x differ in the header of a page and in what counts from its end.</summary>
/// <remarks>From MDB_page, MDB_meta, MDB_db and MDB_node in mdb.c. All numbers are in the machine's own byte order.</remarks>
readonly record struct FileLayout(int HeaderBytes, int OffsetBase, bool PadsKeys)
{
    /// <summary>What the first two pages begin with, behind their headers.</summary>
    public const uint Stamp = 0xBEEFC0DE;

    /// <summary>The largest header, the stamp, and what else of a first page says how to read the file.</summary>
    public const int RootBytes = 24 + FileRoot.Bytes;

    public static FileLayout Of09 => new(HeaderBytes: 16, OffsetBase: 0, PadsKeys: false);

    public static FileLayout Of1 => new(HeaderBytes: 24, OffsetBase: 24, PadsKeys: true);

    /// <summary>The layout of a file that begins with these bytes; <see langword="null"/> if it is not of LMDB.</summary>
    public static FileLayout? Detect(ReadOnlySpan<byte> start)
    {
        foreach (FileLayout layout in (ReadOnlySpan<FileLayout>)[Of09, Of1])
        {
            if (start.Length >= layout.HeaderBytes + sizeof(uint) && MemoryMarshal.Read<uint>(start[layout.HeaderBytes..]) == Stamp)
                return layout;
        }
        return null;
    }

    public int PayloadOffset(int keyLength) => PadsKeys ? (keyLength + 1) & ~1 : keyLength;
}

/// <summary>One of the two pages that say where the trees of a file begin: the one of the later transaction counts.</summary>
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

/// <summary>Where a tree begins, and how many pages of each kind it has.</summary>
readonly record struct TreeRoot(ushort Flags, int Depth, TreeSize Size, long Page)
{
    /// <summary>The root page of an empty tree.</summary>
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

/// <summary>The pages and entries of a tree.</summary>
record struct TreeSize(long BranchPages, long LeafPages, long OverflowPages, long Entries);

/// <summary>What a page is, from its header.</summary>
[Flags]
enum PageKinds : ushort
{
    Branch = 0x01,
    Leaf = 0x02,
    Overflow = 0x04,
    All = 0x6F,
}

/// <summary>What the value of an entry is, from the header of its node.</summary>
[Flags]
enum NodeKinds : ushort
{
    None = 0,
    OnOverflowPages = 0x01,
    Tree = 0x02,
    Duplicates = 0x04,
}
