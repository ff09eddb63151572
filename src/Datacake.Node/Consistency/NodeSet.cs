using System.Collections;
using System.Numerics;

namespace Datacake.Node;

/// <summary>A set of node ids: 256 bits, by value, immutable.</summary>
public readonly struct NodeSet : IEquatable<NodeSet>, IEnumerable<byte>
{
    readonly ulong _bits0;
    readonly ulong _bits1;
    readonly ulong _bits2;
    readonly ulong _bits3;

    NodeSet(ulong bits0, ulong bits1, ulong bits2, ulong bits3) => (_bits0, _bits1, _bits2, _bits3) = (bits0, bits1, bits2, bits3);

    /// <summary>The set of the given ids.</summary>
    public static NodeSet Of(params ReadOnlySpan<byte> nodeIds)
    {
        var set = default(NodeSet);
        foreach (var id in nodeIds)
            set = set.With(id);
        return set;
    }

    /// <summary>The number of ids in the set.</summary>
    public int Count
        => BitOperations.PopCount(_bits0) + BitOperations.PopCount(_bits1)
            + BitOperations.PopCount(_bits2) + BitOperations.PopCount(_bits3);

    /// <summary>True if no id is in the set.</summary>
    public bool IsEmpty => (_bits0 | _bits1 | _bits2 | _bits3) == 0;

    /// <summary>True if the id is in the set.</summary>
    public bool Contains(byte nodeId) => !(this & Single(nodeId)).IsEmpty;

    /// <summary>The set with one more id.</summary>
    public NodeSet With(byte nodeId) => this | Single(nodeId);

    /// <summary>The set without an id.</summary>
    public NodeSet Without(byte nodeId) => Except(Single(nodeId));

    /// <summary>The ids of this set that are not in the other.</summary>
    public NodeSet Except(NodeSet other)
        => new(_bits0 & ~other._bits0, _bits1 & ~other._bits1, _bits2 & ~other._bits2, _bits3 & ~other._bits3);

    /// <summary>The ids that are in both sets.</summary>
    public static NodeSet operator &(NodeSet left, NodeSet right)
        => new(left._bits0 & right._bits0, left._bits1 & right._bits1, left._bits2 & right._bits2, left._bits3 & right._bits3);

    /// <summary>The ids that are in either set.</summary>
    public static NodeSet operator |(NodeSet left, NodeSet right)
        => new(left._bits0 | right._bits0, left._bits1 | right._bits1, left._bits2 | right._bits2, left._bits3 | right._bits3);

    /// <summary>True if both sets hold the same ids.</summary>
    public static bool operator ==(NodeSet left, NodeSet right) => left.Equals(right);

    /// <summary>True if the sets differ.</summary>
    public static bool operator !=(NodeSet left, NodeSet right) => !left.Equals(right);

    /// <summary>The ids that are in both sets.</summary>
    public static NodeSet BitwiseAnd(NodeSet left, NodeSet right) => left & right;

    /// <summary>The ids that are in either set.</summary>
    public static NodeSet BitwiseOr(NodeSet left, NodeSet right) => left | right;

    /// <inheritdoc/>
    public bool Equals(NodeSet other)
        => _bits0 == other._bits0 && _bits1 == other._bits1 && _bits2 == other._bits2 && _bits3 == other._bits3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is NodeSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_bits0, _bits1, _bits2, _bits3);

    /// <summary>The ids in ascending order.</summary>
    public IEnumerator<byte> GetEnumerator()
    {
        for (var id = 0; id <= byte.MaxValue; id++)
            if (Contains((byte)id))
                yield return (byte)id;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The ids in ascending order: <c>1, 2, 7</c>.</summary>
    public override string ToString() => string.Join(", ", this);

    static NodeSet Single(byte nodeId)
    {
        var bit = 1UL << (nodeId & 63);
        return (nodeId >> 6) switch
        {
            0 => new NodeSet(bit, 0, 0, 0),
            1 => new NodeSet(0, bit, 0, 0),
            2 => new NodeSet(0, 0, bit, 0),
            _ => new NodeSet(0, 0, 0, bit),
        };
    }
}
