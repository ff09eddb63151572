namespace Datacake.Lmdb;

// The structures and constants of lmdb.h that the store uses. They are the same in LMDB 0.9 and 1.x.

/// <summary>
/// A pointer to bytes and their length. Arguments point to memory of the caller. Results point into the map and are valid until the
/// transaction ends.
/// </summary>
unsafe struct Value(byte* data, int length)
{
    public nuint Length = (nuint)length;
    public byte* Data = data;

    public readonly ReadOnlySpan<byte> Span => new(Data, checked((int)Length));
}

struct EnvironmentInfo
{
    public nint MapAddress;
    public nuint MapSize;
    public nuint LastPage;
    public nuint LastTransaction;
    public uint MaxReaders;
    public uint Readers;
}

struct EnvironmentStatistics
{
    public uint PageSize;
    public uint Depth;
    public nuint BranchPages;
    public nuint LeafPages;
    public nuint OverflowPages;
    public nuint Entries;
}

[Flags]
enum EnvironmentFlags : uint
{
    NoSubDirectory = 0x4000,
    NoSync = 0x10000,
    ReadOnly = 0x20000,
    NoMetaSync = 0x40000,

    /// <summary>Read transactions that are not tied to a thread.</summary>
    NoThreadLocalStorage = 0x200000,

    /// <summary>No reader table, because nobody writes to the file.</summary>
    NoLock = 0x400000,
}

[Flags]
enum TransactionFlags : uint
{
    None = 0,
    ReadOnly = 0x20000,
}

[Flags]
enum WriteFlags : uint
{
    None = 0,

    /// <summary>A put whose key is above all others, which lets LMDB fill pages completely.</summary>
    Append = 0x20000,
}

enum CursorOperation
{
    Last = 6,
    Next = 8,
    Previous = 12,
    SetRange = 17,
}

enum Result
{
    Success = 0,
    NotFound = -30798,
    PageNotFound = -30797,
    Corrupted = -30796,
    Panic = -30795,
    VersionMismatch = -30794,
    Invalid = -30793,
    MapFull = -30792,
    ReadersFull = -30790,
    TransactionFull = -30788,

    /// <summary>A write that the file system cut short. LMDB 0.9 returns EIO instead.</summary>
    ShortWrite = -30772,
}
