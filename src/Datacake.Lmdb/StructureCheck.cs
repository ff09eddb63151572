using System.Collections;
using System.Runtime.InteropServices;
using Datacake.Storage;
using Microsoft.Win32.SafeHandles;

namespace Datacake.Lmdb;

/// <summary>
/// A check of the structure of an LMDB file. It walks the trees and throws at the first inconsistency: a page outside the file, of the wrong
/// kind, or in two places; keys out of order; or totals that differ from the actual counts. It reads the file without LMDB, because LMDB
/// trusts its file and can crash the process if the file is damaged.
/// </summary>
/// <remarks>
/// The check sees the newest state at the time of its creation. An open snapshot must keep that state from being overwritten meanwhile.
/// </remarks>
sealed class StructureCheck : IDisposable
{
    const int FirstTreePage = 2;
    const int NodeHeaderBytes = 8;
    const int MaxDepth = 32;
    const int ChunkBytes = 1024 * 1024;

    readonly string _description;
    readonly SafeFileHandle _file;
    readonly long _fileBytes;
    readonly FileLayout _layout;
    readonly FileRoot? _root;
    readonly byte[][] _buffers = new byte[MaxDepth + 1][];   // One for each height in the tree.
    BitArray _used = new(0);
    CancellationToken _cancellation;

    public StructureCheck(string path, string description)
    {
        _description = description;
        try
        {
            _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, exception);
        }
        try
        {
            _fileBytes = RandomAccess.GetLength(_file);
            byte[] start = new byte[FileLayout.RootBytes];
            if (TryRead(0, start) && FileLayout.Detect(start) is { } layout)
            {
                _layout = layout;
                _root = ReadRoot();
            }
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Gets whether the file ends before its last page.</summary>
    public bool IsShort => _root is { } root && _fileBytes / root.PageSize <= root.LastPage;

    /// <summary>Checks the file.</summary>
    /// <param name="mayLosePages">True to accept pages that are neither in use nor free, which only waste space.</param>
    /// <param name="cancellationToken">A token that cancels the check.</param>
    /// <exception cref="StorageException">The file is damaged, or belongs to another program.</exception>
    public void Run(bool mayLosePages, CancellationToken cancellationToken)
    {
        if (_root is not { } root)
            throw Damaged("it does not begin like an LMDB file");
        if (root.LastPage is < FirstTreePage - 1 or > int.MaxValue - 1)
            throw Damaged($"its metadata states an invalid last page, {root.LastPage}");
        if (root.Main.Flags != 0)
            throw Foreign();
        _cancellation = cancellationToken;
        _used = new BitArray((int)root.LastPage + 1);
        for (int page = 0; page < FirstTreePage; page++)
            _used[page] = true;
        new Walk(this, root, isFreeList: true).Run(root.Free);
        new Walk(this, root, isFreeList: false).Run(root.Main);
        if (!mayLosePages && !_used.HasAllSet())
            throw Damaged("some of its pages are neither in use nor free");
    }

    public void Dispose() => _file.Dispose();

    FileRoot? ReadRoot()
    {
        FileRoot? newest = null;
        byte[] bytes = new byte[FileRoot.Bytes];
        for (int page = 0; page < FirstTreePage; page++)
        {
            long offset = _layout.HeaderBytes + (long)page * (newest?.PageSize ?? 0);
            if (!TryRead(offset, bytes) || MemoryMarshal.Read<uint>(bytes) != FileLayout.Magic)
                return null;
            FileRoot root = FileRoot.Read(bytes);
            if (root.PageSize is < 256 or > 65536 || !int.IsPow2(root.PageSize))
                return null;
            if (newest is null || root.Transaction > newest.Value.Transaction)
                newest = root;
        }
        return newest;
    }

    bool TryRead(long offset, Span<byte> bytes)
    {
        try
        {
            return offset >= 0 && RandomAccess.Read(_file, bytes, offset) == bytes.Length;
        }
        catch (IOException exception)
        {
            throw Damaged(exception.Message);
        }
    }

    /// <summary>Marks pages as used, and throws if any of them was already marked.</summary>
    void Use(long page, long count, string place)
    {
        if (page < FirstTreePage || count < 1 || page > _used.Length - count)
            throw Damaged($"{place} refers to page {page}, but there are only {_used.Length} pages");
        for (int i = (int)page; i < (int)(page + count); i++)
        {
            if (_used[i])
                throw Damaged($"{place} refers to page {i}, which is used elsewhere or free");
            _used[i] = true;
        }
    }

    StorageException Damaged(string finding) => new(
        StorageError.Corrupt,
        $"The {_description} is damaged: {finding}. Restore it from a backup, or move it away and start with an empty store, which the "
            + "other nodes refill (set TakeOverNodeId).");

    StorageException Foreign() =>
        new(StorageError.Foreign, $"The {_description} contains the data of another program. It was not changed. Choose another path.");

    /// <summary>A walk through one tree.</summary>
    sealed class Walk(StructureCheck check, FileRoot root, bool isFreeList)
    {
        readonly FileLayout _layout = check._layout;
        readonly int _pageSize = root.PageSize;
        TreeSize _found;

        public void Run(TreeRoot tree)
        {
            if (tree.Page != TreeRoot.None)
            {
                if (tree.Depth is < 1 or > MaxDepth)
                    throw check.Damaged($"its metadata states an invalid depth of a tree, {tree.Depth}");
                VisitPage(tree.Page, tree.Depth, [], [], "the metadata");
            }
            if (_found != tree.Size)
                throw check.Damaged($"a tree should have {tree.Size}, but has {_found}");
        }

        /// <summary>
        /// Visits a page and all pages below it. A leaf has height 1. All keys must be at or above <paramref name="least"/>, and below
        /// <paramref name="limit"/> unless that is empty.
        /// </summary>
        void VisitPage(long number, int height, ReadOnlySpan<byte> least, ReadOnlySpan<byte> limit, string place)
        {
            check._cancellation.ThrowIfCancellationRequested();
            check.Use(number, 1, place);
            place = $"page {number}";
            byte[] buffer = check._buffers[height] ??= new byte[_pageSize];
            if (!check.TryRead(number * _pageSize, buffer))
                throw check.Damaged($"{place} is beyond the end of the file");
            ReadOnlySpan<byte> page = buffer;
            bool isLeaf = height == 1;
            CheckHeader(page, number, isLeaf ? PageKinds.Leaf : PageKinds.Branch);
            int end = ReadUInt16(page, _layout.HeaderBytes - 4) + _layout.OffsetBase;
            int nodesStart = ReadUInt16(page, _layout.HeaderBytes - 2) + _layout.OffsetBase;
            if (end < _layout.HeaderBytes || end > nodesStart || nodesStart > _pageSize)
                throw check.Damaged($"{place} is overfull");
            int count = (end - _layout.HeaderBytes) / 2;
            if (isLeaf)
                VisitLeaf(page, count, least, limit, place);
            else
                VisitBranch(page, count, height, least, limit, place);
        }

        void VisitBranch(ReadOnlySpan<byte> page, int count, int height, ReadOnlySpan<byte> least, ReadOnlySpan<byte> limit, string place)
        {
            _found.BranchPages++;
            if (count == 0)
                throw check.Damaged($"{place} has no children");
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> node = NodeAt(page, i, place);
                // The first child has no key of its own in the branch. It contains all keys below that of the second child.
                ReadOnlySpan<byte> childLeast = i == 0 ? least : KeyOf(node, place);
                ReadOnlySpan<byte> childLimit = i + 1 < count ? KeyOf(NodeAt(page, i + 1, place), place) : limit;
                if (i > 0 && Compare(childLeast, least) < 0 || !IsBelow(childLeast, childLimit))
                    throw check.Damaged($"the keys of {place} are out of order");
                long child = MemoryMarshal.Read<uint>(node) | (long)ReadUInt16(node, 4) << 32;
                VisitPage(child, height - 1, childLeast, childLimit, place);
            }
        }

        void VisitLeaf(ReadOnlySpan<byte> page, int count, ReadOnlySpan<byte> least, ReadOnlySpan<byte> limit, string place)
        {
            _found.LeafPages++;
            _found.Entries += count;
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> node = NodeAt(page, i, place);
                ReadOnlySpan<byte> key = KeyOf(node, place);
                int order = Compare(key, least);
                if (order < 0 || order == 0 && i > 0 || !IsBelow(key, limit))
                    throw check.Damaged($"the keys of {place} are out of order");
                least = key;
                VisitEntry(node, key, place);
            }
        }

        void VisitEntry(ReadOnlySpan<byte> node, ReadOnlySpan<byte> key, string place)
        {
            var kinds = (NodeKinds)ReadUInt16(node, 4);
            if ((kinds & (NodeKinds.Tree | NodeKinds.Duplicates)) != 0)
                throw check.Foreign();
            if (!isFreeList && !StoredKey.IsKnown(key))
                throw check.Foreign();
            long length = MemoryMarshal.Read<uint>(node);
            ReadOnlySpan<byte> payload = node[Math.Min(node.Length, NodeHeaderBytes + _layout.PayloadOffset(key.Length))..];
            bool isElsewhere = kinds.HasFlag(NodeKinds.OnOverflowPages);
            if (payload.Length < (isElsewhere ? sizeof(long) : length))
                throw check.Damaged($"an entry of {place} extends beyond the page");
            if (isElsewhere)
            {
                byte[] freed = isFreeList ? new byte[Math.Min(length, check._fileBytes)] : [];
                VisitOverflow(MemoryMarshal.Read<long>(payload), length, freed, place);
                payload = freed;
            }
            if (isFreeList)
                UseFreed(payload[..(int)Math.Min(length, payload.Length)], place);
        }

        /// <summary>
        /// Reads a value on overflow pages. It reads the whole value to detect disk errors, but copies only as much as fits into
        /// <paramref name="kept"/>.
        /// </summary>
        void VisitOverflow(long first, long length, Span<byte> kept, string place)
        {
            long needed = (_layout.HeaderBytes - 1 + length) / _pageSize + 1;
            check.Use(first, needed, place);
            byte[] chunk = new byte[Math.Min(ChunkBytes, needed * _pageSize)];
            long offset = first * _pageSize;
            long left = _layout.HeaderBytes + length;
            for (bool isFirst = true; left > 0; isFirst = false)
            {
                check._cancellation.ThrowIfCancellationRequested();
                Span<byte> bytes = chunk.AsSpan(0, (int)Math.Min(chunk.Length, left));
                if (!check.TryRead(offset, bytes))
                    throw check.Damaged($"the value that begins on page {first} extends beyond the end of the file");
                offset += bytes.Length;
                left -= bytes.Length;
                if (isFirst)
                {
                    UseOverflow(bytes, first, needed);
                    bytes = bytes[_layout.HeaderBytes..];
                }
                int keeping = Math.Min(bytes.Length, kept.Length);
                bytes[..keeping].CopyTo(kept);
                kept = kept[keeping..];
            }
        }

        void UseOverflow(ReadOnlySpan<byte> page, long first, long needed)
        {
            CheckHeader(page, first, PageKinds.Overflow);
            long count = MemoryMarshal.Read<uint>(page[(_layout.HeaderBytes - 4)..]);
            if (count < needed)
                throw check.Damaged($"the value that begins on page {first} needs more pages than it has");
            // A value that replaced a longer one keeps the pages of that one.
            if (count > needed)
                check.Use(first + needed, count - needed, $"page {first}");
            _found.OverflowPages += count;
        }

        /// <summary>Marks the pages of an entry of the free list, which consists of a count and that many page numbers.</summary>
        void UseFreed(ReadOnlySpan<byte> list, string place)
        {
            ReadOnlySpan<long> numbers = MemoryMarshal.Cast<byte, long>(list);
            if (numbers.IsEmpty || numbers[0] < 0 || numbers[0] > numbers.Length - 1)
                throw check.Damaged($"the free list on {place} is truncated");
            foreach (long page in numbers.Slice(1, (int)numbers[0]))
                check.Use(page, 1, $"the free list on {place}");
        }

        void CheckHeader(ReadOnlySpan<byte> page, long number, PageKinds kind)
        {
            if (MemoryMarshal.Read<long>(page) != number || ((PageKinds)ReadUInt16(page, _layout.HeaderBytes - 6) & PageKinds.All) != kind)
                throw check.Damaged($"page {number} has the wrong number or kind in its header");
        }

        ReadOnlySpan<byte> NodeAt(ReadOnlySpan<byte> page, int index, string place)
        {
            int offset = ReadUInt16(page, _layout.HeaderBytes + 2 * index) + _layout.OffsetBase;
            if (offset < _layout.HeaderBytes || offset > _pageSize - NodeHeaderBytes)
                throw check.Damaged($"an entry of {place} extends beyond the page");
            return page[offset..];
        }

        ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> node, string place)
        {
            int length = ReadUInt16(node, 6);
            if (length > node.Length - NodeHeaderBytes || isFreeList && length != sizeof(ulong))
                throw check.Damaged($"a key of {place} has an invalid length");
            return node.Slice(NodeHeaderBytes, length);
        }

        bool IsBelow(ReadOnlySpan<byte> key, ReadOnlySpan<byte> limit) => limit.IsEmpty || Compare(key, limit) < 0;

        /// <summary>Compares two keys. The keys of the free list are transaction numbers.</summary>
        int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
            isFreeList && !left.IsEmpty && !right.IsEmpty
                ? MemoryMarshal.Read<ulong>(left).CompareTo(MemoryMarshal.Read<ulong>(right))
                : left.SequenceCompareTo(right);

        static int ReadUInt16(ReadOnlySpan<byte> bytes, int offset) => MemoryMarshal.Read<ushort>(bytes[offset..]);
    }
}
