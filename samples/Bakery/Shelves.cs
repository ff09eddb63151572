using Datacake.Data;
using Datacake.Node;

namespace Datacake.Bakery;

/// <summary>A shelf whose cakes are counted, and merged: each node counts what it sells.</summary>
sealed class PlainShelf
{
    public int Id { get; set; }

    [Counter]
    public long Left { get; set; }
}

/// <summary>A shelf whose counter has a minimum. Each node sells within its part of what is left.</summary>
sealed class BoundedShelf
{
    public int Id { get; set; }

    [Counter(Minimum = 0)]
    public long Left { get; set; }
}

/// <summary>A shelf whose sales are in one order for all nodes.</summary>
[Serial]
sealed class SerialShelf
{
    public int Id { get; set; }

    public long Left { get; set; }
}

/// <summary>The shelves of the bakery.</summary>
sealed partial class BakeryContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<PlainShelf> Plain { get; }

    public partial Keyspace<BoundedShelf> Bounded { get; }

    public partial Keyspace<SerialShelf> Serial { get; }
}
