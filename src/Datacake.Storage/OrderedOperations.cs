using System.Buffers;
using System.Buffers.Binary;

namespace Datacake.Storage;

/// <summary>
/// The operations of a batch in the order in which a provider applies them fastest: that of their keys if there are many, so that each page of a tree is read and
/// written once. Several operations for a key keep their order. Dispose it after use.
/// </summary>
public readonly ref struct OrderedOperations
{
    // Few operations touch few pages, which stay in the cache of the provider in any order.
    internal const int MinCountToSort = 1024;

    readonly ReadOnlySpan<WriteOperation> _operations;
    readonly Place[]? _order;    // Rented. Null if the operations are not sorted.

    internal OrderedOperations(WriteOperation[] operations, int count)
    {
        _operations = operations.AsSpan(0, count);
        if (count < MinCountToSort)
            return;
        _order = ArrayPool<Place>.Shared.Rent(count);
        for (int i = 0; i < count; i++)
            _order[i] = Place.Of(operations[i].Key.Span, i);
        _order.AsSpan(0, count).Sort(new Comparer(operations));
    }

    /// <summary>Gets the number of operations.</summary>
    public int Count => _operations.Length;

    /// <summary>Gets an operation by its place in the order.</summary>
    public ref readonly WriteOperation this[int index] => ref _operations[_order is null ? index : _order[index].Index];

    /// <summary>Returns the memory to the pool.</summary>
    public void Dispose()
    {
        if (_order is not null)
            ArrayPool<Place>.Shared.Return(_order);
    }

    /// <summary>The first bytes of a key, which decide nearly all comparisons, and the index of the operation.</summary>
    readonly record struct Place(uint Head, ulong Tail, int Index)
    {
        const int HeadLength = sizeof(uint), Length = HeadLength + sizeof(ulong);

        public static Place Of(ReadOnlySpan<byte> key, int index)
        {
            Span<byte> first = stackalloc byte[Length];
            first.Clear();
            key[..Math.Min(key.Length, Length)].CopyTo(first);
            return new(BinaryPrimitives.ReadUInt32BigEndian(first), BinaryPrimitives.ReadUInt64BigEndian(first[HeadLength..]), index);
        }
    }

    readonly struct Comparer(WriteOperation[] operations) : IComparer<Place>
    {
        public int Compare(Place x, Place y)
        {
            if (x.Head != y.Head)
                return x.Head < y.Head ? -1 : 1;
            if (x.Tail != y.Tail)
                return x.Tail < y.Tail ? -1 : 1;
            int order = operations[x.Index].Key.Span.SequenceCompareTo(operations[y.Index].Key.Span);
            return order != 0 ? order : x.Index.CompareTo(y.Index);
        }
    }
}
