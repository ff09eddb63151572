using System.Collections;
using System.Numerics;

namespace Datacake.Node;

/// <summary>An immutable set of node ids, stored as a value of 256 bits.</summary>
public readonly struct NodeSet : IEquatable<NodeSet>, IEnumerable<byte>
{
    readonly ulong _bits0;
    readonly ulong _bits1;
    readonly ulong _bits2;
    readonly ulong _bits3;

    NodeSet(ulong bits0, ulong bits1, ulong bits2, ulong bits3) => (_bits0, _bits1, _bits2, _bits3) = (bits0, bits1, bits2, bits3);

    /// <summary>Creates a set of the given ids.</summary>
    public static NodeSet Of(params ReadOnlySpan<byte> nodeIds)
    {
        var set = default(NodeSet);
        foreach (var id in nodeIds)
            set = set.With(id);
        return set;
    }

    /// <summary>Gets the number of ids in the set.</summary>
    public int Count
        => BitOperations.PopCount(_bits0) + BitOperations.PopCount(_bits1)
            + BitOperations.PopCount(_bits2) + BitOperations.PopCount(_bits3);

    /// <summary>True if the set is empty.</summary>
    public bool IsEmpty => (_bits0 | _bits1 | _bits2 | _bits3) == 0;

    /// <summary>Returns true if the id is in the set.</summary>
    public bool Contains(byte nodeId) => !(this & Single(nodeId)).IsEmpty;

    /// <summary>Returns the set with an id added.</summary>
    public NodeSet With(byte nodeId) => this | Single(nodeId);

    /// <summary>Returns the set with an id removed.</summary>
    public NodeSet Without(byte nodeId) => Except(Single(nodeId));

    /// <summary>Returns the ids of this set that are not in the other set.</summary>
    public NodeSet Except(NodeSet other)
        => new(_bits0 & ~other._bits0, _bits1 & ~other._bits1, _bits2 & ~other._bits2, _bits3 & ~other._bits3);

    /// <summary>Returns the ids that are in both sets.</summary>
    public static NodeSet operator &(NodeSet left, NodeSet right)
        => new(left._bits0 & right._bits0, left._bits1 & right._bits1, left._bits2 & right._bits2, left._bits3 & right._bits3);

    /// <summary>Returns the ids that are in either set.</summary>
    public static NodeSet operator |(NodeSet left, NodeSet right)
        => new(left._bits0 | right._bits0, left._bits1 | right._bits1, left._bits2 | right._bits2, left._bits3 | right._bits3);

    /// <summary>Returns true if both sets contain the same ids.</summary>
    public static bool operator ==(NodeSet left, NodeSet right) => left.Equals(right);

    /// <summary>Returns true if the sets differ.</summary>
    public static bool operator !=(NodeSet left, NodeSet right) => !left.Equals(right);

    /// <summary>Returns the ids that are in both sets.</summary>
    public static NodeSet BitwiseAnd(NodeSet left, NodeSet right) => left & right;

    /// <summary>Returns the ids that are in either set.</summary>
    public static NodeSet BitwiseOr(NodeSet left, NodeSet right) => left | right;

    /// <inheritdoc/>
    public bool Equals(NodeSet other)
        => _bits0 == other._bits0 && _bits1 == other._bits1 && _bits2 == other._bits2 && _bits3 == other._bits3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is NodeSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_bits0, _bits1, _bits2, _bits3);

    /// <summary>Returns the ids in ascending order.</summary>
    public IEnumerator<byte> GetEnumerator()
    {
        for (var id = 0; id <= byte.MaxValue; id++)
            if (Contains((byte)id))
                yield return (byte)id;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Returns the ids in ascending order, such as <c>1, 2, 7</c>.</summary>
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
