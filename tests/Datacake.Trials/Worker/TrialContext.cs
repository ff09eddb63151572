using Datacake.Data;
using Datacake.Node;

namespace Datacake.Trials.Worker;

/// <summary>A counter that all nodes add to.</summary>
public sealed class Tally
{
    public long Id { get; set; }

    [Counter]
    public long N { get; set; }
}

/// <summary>A document that grows by entries of several megabytes.</summary>
public sealed class Album
{
    public long Id { get; set; }

    public Dictionary<string, byte[]> Entries { get; set; } = [];
}

/// <summary>The entities of the trials.</summary>
public sealed partial class TrialContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Tally> Tallies { get; }

    public partial Keyspace<Album> Albums { get; }
}
