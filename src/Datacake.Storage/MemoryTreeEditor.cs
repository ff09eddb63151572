namespace Datacake.Storage;

/// <summary>
/// An editor that creates the next version of a tree. On the path to a change, it copies the nodes that a snapshot may show, and changes all
/// others in place. Not thread-safe.
/// </summary>
/// <remarks>
/// Copying on write follows Driscoll, Sarnak, Sleator and Tarjan, "Making Data Structures Persistent" (1989). Nodes are split and merged
/// preemptively on the way down, so that a change never has to propagate back up (Guibas and Sedgewick, 1978).
/// </remarks>
/// <param name="tree">The current tree, of an earlier version.</param>
/// <param name="version">The number of the next version.</param>
/// <param name="shown">
/// The newest version that a snapshot may still read, or 0 if there is none. The editor does not change trees of this and earlier versions.
/// </param>
ref struct MemoryTreeEditor(MemoryTree tree, long version, long shown)
{
    MemoryNode _root = tree.Root;

    /// <summary>Gets the tree with the changes made so far.</summary>
    public readonly MemoryTree Tree => new(_root);

    /// <summary>Puts a copy of an entry whose value fits into a block.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(key, value, longValue: null);

    /// <summary>Puts a copy of a key with a long value. The tree keeps a reference to the value.</summary>
    public void Put(ReadOnlySpan<byte> key, byte[] longValue) => Put(key, value: default, longValue);

    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, byte[]? longValue)
    {
        MemoryNode node = OwnedRoot();
        if (node.IsFull)
        {
            _root = MemoryNode.Above(version, onlyChild: node);
            SplitChild(_root, 0, key);
            node = _root;
        }
        while (!node.IsLeaf)
        {
            int at = node.ChildFor(key);
            MemoryNode child = OwnedChild(node, at);
            if (child.IsFull)
            {
                SplitChild(node, at, key);
                child = node.Children[node.ChildFor(key)];
            }
            node = child;
        }
        if (node.TryFind(key, out int place))
            node.Replace(place, key, value, longValue);
        else
            node.Insert(place, key, value, longValue, child: null);
    }

    public void Delete(ReadOnlySpan<byte> key)
    {
        MemoryNode node = OwnedRoot();
        while (node.Children is { } children)
        {
            int at = node.ChildFor(key);
            if (children[at].Count <= MemoryNode.MinSlots)
            {
                JoinChild(node, at);
                at = node.ChildFor(key);
            }
            MemoryNode child = OwnedChild(node, at);
            if (node.Count == 1)
                _root = child;   // Only the root can be left with one child: other branches were merged or refilled on the way down.
            node = child;
        }
        if (node.TryFind(key, out int place))
            node.Remove(place);
    }

    MemoryNode OwnedRoot() => _root = Owned(_root);

    readonly MemoryNode OwnedChild(MemoryNode parent, int at) => parent.Children![at] = Owned(parent.Children[at]);

    readonly MemoryNode Owned(MemoryNode node)
    {
        if (node.Version > shown)
            return node;
        return new MemoryNode(version, node);
    }

    /// <summary>
    /// Splits a full child, which no snapshot shows. If ascending keys are being inserted, anywhere in the tree, the split leaves the left
    /// node nearly full instead of half full. New documents of a keyspace ascend, but sort before those of the next keyspace.
    /// </summary>
    readonly void SplitChild(MemoryNode parent, int at, ReadOnlySpan<byte> key)
    {
        MemoryNode left = parent.Children![at];
        int next = left.IsLeaf ? left.PlaceOf(key) : left.ChildFor(key) + 1;
        bool isRun = next == MemoryNode.MaxSlots || next == left.Inserted + 1;
        int keep = isRun ? Math.Clamp(next, MemoryNode.MaxSlots / 2, MemoryNode.MaxSlots - MemoryNode.MaxSlots / 8) : MemoryNode.MaxSlots / 2;
        var right = new MemoryNode(version, left.IsLeaf);
        right.Append(left, keep, left.Count - keep);
        left.Truncate(keep);
        left.ShareMore();
        right.ShareMore();
        parent.Insert(at + 1, Between(left, right), value: default, longValue: null, right);
    }

    /// <summary>Merges a small child with a neighbor or, if the result would be too large, divides their slots evenly.</summary>
    readonly void JoinChild(MemoryNode parent, int at)
    {
        int leftAt = at == 0 ? 0 : at - 1;
        MemoryNode left = OwnedChild(parent, leftAt);
        MemoryNode right = parent.Children![leftAt + 1];
        int total = left.Count + right.Count;
        if (total <= MemoryNode.MaxSlots)
        {
            left.Append(right, 0, right.Count);
            parent.Remove(leftAt + 1);
            return;
        }
        var newRight = new MemoryNode(version, left.IsLeaf);
        int half = total / 2;
        if (left.Count >= half)
        {
            newRight.Append(left, half, left.Count - half);
            newRight.Append(right, 0, right.Count);
            left.Truncate(half);
        }
        else
        {
            int moved = half - left.Count;
            left.Append(right, 0, moved);
            newRight.Append(right, moved, right.Count - moved);
        }
        parent.Children[leftAt + 1] = newRight;
        parent.Separate(leftAt + 1, Between(left, newRight));
    }

    /// <summary>
    /// Returns the separator between two neighbors. For leaves it is the shortest key that separates them, so that branches stay small.
    /// </summary>
    static ReadOnlySpan<byte> Between(MemoryNode left, MemoryNode right)
    {
        ReadOnlySpan<byte> first = right.KeyAt(0);
        return right.IsLeaf ? first[..(first.CommonPrefixLength(left.LastKey) + 1)] : first;
    }
}
