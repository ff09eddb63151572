namespace Datacake.Storage;

/// <summary>
/// One version of a B+-tree of byte keys. A version does not change while a snapshot shows it. A <see cref="MemoryTreeEditor"/> creates the
/// next version, which shares the unchanged nodes with this one.
/// </summary>
/// <remarks>Any number of threads may read a version concurrently, unless an editor is changing nodes of that version in place.</remarks>
readonly struct MemoryTree(MemoryNode root)
{
    /// <summary>Gets the empty tree. Its node is never changed in place, because its version is 0.</summary>
    public static MemoryTree Empty { get; } = new(new MemoryNode(version: 0, isLeaf: true));

    public MemoryNode Root => root;

    public ReadOnlyMemory<byte>? Get(ReadOnlySpan<byte> key)
    {
        MemoryNode node = root;
        while (node.Children is { } children)
            node = children[node.ChildFor(key)];
        if (!node.TryFind(key, out int at))
            return null;
        return node.EntryAt(at).Value;
    }

    /// <summary>Adds the entries of a range to a page, until the page is full or the range ends.</summary>
    public void Scan(in KeyRange range, ScanDirection direction, MemoryPage page)
    {
        if (direction == ScanDirection.Forward)
            ScanForward(root, range, page);
        else
            ScanReverse(root, range, page);
    }

    static void ScanForward(MemoryNode node, in KeyRange range, MemoryPage page)
    {
        (int first, int end) = node.SlotsIn(range);
        for (int i = first; i < end && !page.IsFull; i++)
        {
            if (node.Children is { } children)
                ScanForward(children[i], range, page);
            else
                page.Add(node.EntryAt(i));
        }
    }

    static void ScanReverse(MemoryNode node, in KeyRange range, MemoryPage page)
    {
        (int first, int end) = node.SlotsIn(range);
        for (int i = end - 1; i >= first && !page.IsFull; i--)
        {
            if (node.Children is { } children)
                ScanReverse(children[i], range, page);
            else
                page.Add(node.EntryAt(i));
        }
    }
}
