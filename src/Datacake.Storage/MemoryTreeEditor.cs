namespace Datacake.Storage;

/// <summary>
/// Makes the next version of a tree. It copies a node on the way to a change only if a snapshot may show it, and changes all others in place.
/// Not thread-safe.
/// </summary>
/// <remarks>
/// Copying on write after Driscoll, Sarnak, Sleator and Tarjan, "Making data structures persistent" (1989); nodes are split and merged on the way
/// down, before they need to be, so that a change never has to come back up (Guibas and Sedgewick, 1978).
/// </remarks>
/// <param name="tree">The tree as it is, of an earlier version.</param>
/// <param name="version">The number of the next version.</param>
/// <param name="shown">
/// The newest version that somebody may still read; 0 if nobody reads any. The trees of this one and of those before it stay as they are.
/// </param>
ref struct MemoryTreeEditor(MemoryTree tree, long version, long shown)
{
    MemoryNode _root = tree.Root;

    /// <summary>The tree with the changes so far.</summary>
    public readonly MemoryTree Tree => new(_root);

    /// <summary>Puts a copy of an entry whose value is not too long for a block.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(key, value, longValue: null);

    /// <summary>Puts a copy of a key with a value that the tree keeps.</summary>
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
                _root = child;   // Only the root can come down to one child: other branches were made larger on the way.
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
    /// Makes two of a full child, which no snapshot shows. A run of ascending keys leaves full nodes behind it, not half-full ones, wherever in the
    /// tree it is: a keyspace's fresh documents are followed by those of the next one.
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

    /// <summary>Makes one of a small child and a neighbour or, where that would be too large, two of the same size.</summary>
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
    /// The separator of two neighbours: for leaves the shortest key that tells them apart, so that branches stay small.
    /// </summary>
    static ReadOnlySpan<byte> Between(MemoryNode left, MemoryNode right)
    {
        ReadOnlySpan<byte> first = right.KeyAt(0);
        return right.IsLeaf ? first[..(first.CommonPrefixLength(left.LastKey) + 1)] : first;
    }
}
