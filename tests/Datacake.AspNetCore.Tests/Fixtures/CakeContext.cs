using Datacake.Data;
using Datacake.Node;

namespace Datacake.AspNetCore.Tests.Fixtures;

public sealed class Cake
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public int Stock { get; set; }
}

public sealed partial class CakeContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Cake> Cakes { get; }
}
