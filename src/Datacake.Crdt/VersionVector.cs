using System.Buffers;
using System.Text;

namespace Datacake.Crdt;

/// <summary>
/// An immutable set of stamps: disjoint ascending intervals for each node. It describes the stamps that a replica knows, and is a version
/// vector (Parker et al., 1983) that may have gaps. Usually it has one interval per node.
/// </summary>
public sealed class VersionVector : IEquatable<VersionVector>
{
    /// <summary>The empty set.</summary>
    public static readonly VersionVector Empty = new([]);

    // Ascending by node; each node has at least one interval. Intervals are ascending and do not overlap or touch.
    readonly NodeIntervals[] _nodes;

    readonly record struct NodeIntervals(byte Node, StampInterval[] Intervals);

    VersionVector(NodeIntervals[] nodes) => _nodes = nodes;

    /// <summary>Returns the set of one node's stamps in the interval (<paramref name="low"/>, <paramref name="high"/>].</summary>
    public static VersionVector Of(byte node, HlcTimestamp low, HlcTimestamp high) =>
        low < high ? new([new NodeIntervals(node, [new StampInterval(low, high)])]) : Empty;

    /// <summary>True if the set contains no stamps.</summary>
    public bool IsEmpty => _nodes.Length == 0;

    /// <summary>Gets the greatest stamp in the set, or <see cref="HlcTimestamp.None"/> if the set is empty.</summary>
    public HlcTimestamp Top
    {
        get
        {
            var top = HlcTimestamp.None;
            foreach (var node in _nodes)
                top = HlcTimestamp.Max(top, node.Intervals[^1].High);
            return top;
        }
    }

    /// <summary>Gets the nodes that have stamps in the set, in ascending order.</summary>
    public IEnumerable<byte> Nodes => _nodes.Select(node => node.Node);

    /// <summary>Gets the intervals of one node in ascending order.</summary>
    public ReadOnlySpan<StampInterval> this[byte node] => Find(node);

    /// <summary>Returns true if a stamp is in the set.</summary>
    public bool Contains(HlcTimestamp stamp)
    {
        var intervals = Find(stamp.Node);
        for (int i = intervals.Length - 1; i >= 0; i--)
        {
            if (stamp > intervals[i].Low)
                return stamp <= intervals[i].High;
        }
        return false;
    }

    /// <summary>Returns true if this set contains every stamp of <paramref name="other"/>.</summary>
    public bool Covers(VersionVector other)
    {
        foreach (var theirs in other._nodes)
        {
            var mine = Find(theirs.Node);
            int i = 0;
            foreach (var interval in theirs.Intervals)
            {
                while (i < mine.Length && mine[i].High < interval.High)
                    i++;
                if (i == mine.Length || mine[i].Low > interval.Low)
                    return false;
            }
        }
        return true;
    }

    /// <summary>Returns the stamps that are in either set.</summary>
    public VersionVector Union(VersionVector other)
    {
        if (other.IsEmpty || ReferenceEquals(this, other))
            return this;
        return IsEmpty ? other : Combine(other, UnionOf);
    }

    /// <summary>Returns this set plus one node's stamps in the interval (<paramref name="low"/>, <paramref name="high"/>].</summary>
    public VersionVector Union(byte node, HlcTimestamp low, HlcTimestamp high)
    {
        int index = IndexOf(node);
        if (index < 0 || _nodes[index].Intervals[^1] is var last && (low < last.Low || low > last.High || high <= last.High))
            return Union(Of(node, low, high));
        // Fast path: almost every transaction only extends the last interval.
        var nodes = (NodeIntervals[])_nodes.Clone();
        var intervals = (StampInterval[])nodes[index].Intervals.Clone();
        intervals[^1] = intervals[^1] with { High = high };
        nodes[index] = new NodeIntervals(node, intervals);
        return new(nodes);
    }

    /// <summary>Returns the stamps of this set that are not in <paramref name="other"/>.</summary>
    public VersionVector Except(VersionVector other)
    {
        if (IsEmpty || other.IsEmpty)
            return this;
        return Combine(other, static (mine, theirs) => DifferenceOf(mine, theirs));
    }

    /// <summary>Returns the stamps that are in both sets.</summary>
    public VersionVector Intersect(VersionVector other) => Combine(other, IntersectionOf);

    /// <summary>Returns the stamps of this set in the interval (<paramref name="low"/>, <paramref name="high"/>].</summary>
    public VersionVector Between(HlcTimestamp low, HlcTimestamp high)
    {
        StampInterval[] window = low < high ? [new StampInterval(low, high)] : [];
        return Map(intervals => IntersectionOf(intervals, window));
    }

    /// <summary>Returns the stamps of one node.</summary>
    public VersionVector OfNode(byte node)
    {
        int index = IndexOf(node);
        return index < 0 ? Empty : new([_nodes[index]]);
    }

    /// <summary>Writes the set: the number of nodes, then for each node its id, its number of intervals, and their bounds.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        EncodedInteger.Write(output, (uint)_nodes.Length);
        foreach (var (node, intervals) in _nodes)
        {
            output.Write([node]);
            EncodedInteger.Write(output, (uint)intervals.Length);
            foreach (var interval in intervals)
            {
                var span = output.GetSpan(2 * HlcTimestamp.Size);
                interval.Low.Write(span);
                interval.High.Write(span[HlcTimestamp.Size..]);
                output.Advance(2 * HlcTimestamp.Size);
            }
        }
    }

    /// <summary>Reads a set that <see cref="Write"/> wrote and advances <paramref name="source"/> past it.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a version vector.</exception>
    public static VersionVector Read(ref ReadOnlySpan<byte> source)
    {
        uint count = EncodedInteger.Read(ref source);
        if (count > 256)
            throw new InvalidDataException($"A version vector has {count} nodes. The limit is 256.");
        var nodes = new NodeIntervals[count];
        for (int i = 0; i < nodes.Length; i++)
        {
            byte node = EncodedInteger.Take(ref source, 1)[0];
            if (i > 0 && nodes[i - 1].Node >= node)
                throw new InvalidDataException("The nodes of a version vector are not in ascending order.");
            nodes[i] = new NodeIntervals(node, ReadIntervals(ref source));
        }
        return count == 0 ? Empty : new(nodes);
    }

    static StampInterval[] ReadIntervals(ref ReadOnlySpan<byte> source)
    {
        uint count = EncodedInteger.Read(ref source);
        if (count == 0 || count > (uint)source.Length / (2 * HlcTimestamp.Size))
            throw new InvalidDataException($"A node of a version vector has {count} intervals, but only {source.Length} bytes follow.");
        var intervals = new StampInterval[count];
        var floor = HlcTimestamp.None;
        for (int i = 0; i < intervals.Length; i++)
        {
            var pair = EncodedInteger.Take(ref source, 2 * HlcTimestamp.Size);
            intervals[i] = new StampInterval(HlcTimestamp.Read(pair), HlcTimestamp.Read(pair[HlcTimestamp.Size..]));
            if (intervals[i].Low >= intervals[i].High || (i > 0 && intervals[i].Low <= floor))
                throw new InvalidDataException("The intervals of a version vector are not disjoint and ascending.");
            floor = intervals[i].High;
        }
        return intervals;
    }

    /// <inheritdoc/>
    public bool Equals(VersionVector? other)
    {
        if (other is null || _nodes.Length != other._nodes.Length)
            return false;
        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Node != other._nodes[i].Node || !_nodes[i].Intervals.AsSpan().SequenceEqual(other._nodes[i].Intervals))
                return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VersionVector);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_nodes.Length, Top);

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder("{");
        foreach (var (node, intervals) in _nodes)
            text.Append(text.Length > 1 ? ", " : "").Append(node).Append(": ").AppendJoin(" ", intervals);
        return text.Append('}').ToString();
    }

    int IndexOf(byte node)
    {
        for (int i = 0; i < _nodes.Length; i++)
        {
            if (_nodes[i].Node == node)
                return i;
        }
        return -1;
    }

    StampInterval[] Find(byte node)
    {
        int index = IndexOf(node);
        return index < 0 ? [] : _nodes[index].Intervals;
    }

    VersionVector Map(Func<StampInterval[], StampInterval[]> change)
    {
        var result = new List<NodeIntervals>(_nodes.Length);
        foreach (var (node, intervals) in _nodes)
        {
            var changed = change(intervals);
            if (changed.Length > 0)
                result.Add(new NodeIntervals(node, changed));
        }
        return new([.. result]);
    }

    VersionVector Combine(VersionVector other, Func<StampInterval[], StampInterval[], StampInterval[]> operation)
    {
        var result = new List<NodeIntervals>(Math.Max(_nodes.Length, other._nodes.Length));
        int mine = 0, theirs = 0;
        while (mine < _nodes.Length || theirs < other._nodes.Length)
        {
            int order = mine == _nodes.Length ? 1
                : theirs == other._nodes.Length ? -1
                : _nodes[mine].Node.CompareTo(other._nodes[theirs].Node);
            byte node = order <= 0 ? _nodes[mine].Node : other._nodes[theirs].Node;
            var left = order <= 0 ? _nodes[mine++].Intervals : [];
            var right = order >= 0 ? other._nodes[theirs++].Intervals : [];
            var combined = operation(left, right);
            if (combined.Length > 0)
                result.Add(new NodeIntervals(node, combined));
        }
        return new([.. result]);
    }

    static StampInterval[] UnionOf(StampInterval[] a, StampInterval[] b)
    {
        if (a.Length == 0 || b.Length == 0)
            return a.Length == 0 ? b : a;
        var result = new List<StampInterval>(a.Length + b.Length);
        int i = 0, j = 0;
        while (i < a.Length || j < b.Length)
        {
            var next = j == b.Length || (i < a.Length && a[i].Low <= b[j].Low) ? a[i++] : b[j++];
            if (result.Count > 0 && next.Low <= result[^1].High)
                result[^1] = result[^1] with { High = HlcTimestamp.Max(result[^1].High, next.High) };
            else
                result.Add(next);
        }
        return [.. result];
    }

    static StampInterval[] DifferenceOf(StampInterval[] a, ReadOnlySpan<StampInterval> b)
    {
        if (a.Length == 0 || b.Length == 0)
            return a;
        var result = new List<StampInterval>(a.Length);
        int first = 0;
        foreach (var interval in a)
        {
            while (first < b.Length && b[first].High <= interval.Low)
                first++;
            var low = interval.Low;
            for (int i = first; i < b.Length && b[i].Low < interval.High; i++)
            {
                if (low < b[i].Low)
                    result.Add(new StampInterval(low, b[i].Low));
                low = HlcTimestamp.Max(low, b[i].High);
            }
            if (low < interval.High)
                result.Add(interval with { Low = low });
        }
        return [.. result];
    }

    static StampInterval[] IntersectionOf(StampInterval[] a, StampInterval[] b)
    {
        if (a.Length == 0 || b.Length == 0)
            return [];
        var result = new List<StampInterval>(Math.Max(a.Length, b.Length));
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            var low = HlcTimestamp.Max(a[i].Low, b[j].Low);
            var high = HlcTimestamp.Min(a[i].High, b[j].High);
            if (low < high)
                result.Add(new StampInterval(low, high));
            if (a[i].High < b[j].High)
                i++;
            else
                j++;
        }
        return [.. result];
    }
}
