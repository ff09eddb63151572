using Datacake.Data;
using Datacake.Node;

namespace Company.Worker;

/// <summary>The data of the service, which every node has.</summary>
public sealed partial class PostContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Letter> Letters { get; }
}
