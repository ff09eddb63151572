using Datacake.Crdt;
using Datacake.EventualConsistency.Following;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;

namespace Datacake.Simulation.Machines;

/// <summary>The feed of one process of a member for the followers of the same keyspaces. It remembers few steps, so that followers fall behind.</summary>
sealed class SimulatedFeed(ulong boot, VersionVector known, SourceState state)
{
    const int MaxSteps = 4;

    readonly Queue<(FeedStep Step, Holdings Held)> _steps = [];

    public ulong Boot { get; } = boot;

    /// <summary>Gets or sets the known set of the state that the last step leads to.</summary>
    public VersionVector Known { get; set; } = known;

    /// <summary>Gets or sets what the member says to its followers.</summary>
    public SourceState State { get; set; } = state;

    public long First { get; private set; }

    public long Next => First + _steps.Count;

    public (FeedStep Step, Holdings Held) this[long position] => _steps.ElementAt((int)(position - First));

    public void Add(FeedStep step, Holdings held)
    {
        _steps.Enqueue((step, held));
        if (_steps.Count > MaxSteps)
            Drop();
    }

    /// <summary>Forgets all steps, and takes a position that no follower has.</summary>
    public void Forget()
    {
        while (_steps.Count > 0)
            Drop();
        First++;
    }

    void Drop()
    {
        _steps.Dequeue();
        First++;
    }
}
