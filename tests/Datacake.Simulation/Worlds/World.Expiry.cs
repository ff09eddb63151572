using Datacake.Crdt;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Worlds;

// Documents that expire [R20].
sealed partial class World
{
    HlcTimestamp _latestWall;                                       // the latest instant that the wall clock of any machine has shown
    DateTimeOffset _lastExpiry;

    static HlcTimestamp WallOf(Machine machine) => new HybridLogicalClock(machine.Node, machine.Clock).Wall;

    /// <summary>Remembers how far the wall clocks have come.</summary>
    void NoteClocks()
    {
        foreach (var machine in _machines)
            _latestWall = HlcTimestamp.Max(_latestWall, WallOf(machine));
    }

    /// <summary>Lets time pass until everything that expires has expired.</summary>
    void PassExpiries()
    {
        if (_lastExpiry > _time.Now)
            _time.Pass(_lastExpiry - _time.Now + SimulatedTime.Unit);
        NoteClocks();
    }

    /// <summary>Returns what a reader on a machine sees of a document.</summary>
    static Document AsSeenBy(Machine machine, Document document) => document.View.HasExpired(WallOf(machine)) ? Document.Nothing : document;

    /// <summary>
    /// Returns true if a machine does not show a document that has expired by the clock of another machine, from which it may have heard that, or by its own clock before that
    /// was set back.
    /// </summary>
    bool HasExpiredElsewhere(Document shown, Document ideal, MergePolicy policy) => ideal.View.HasExpired(_latestWall)
        && !shown.IsAlive(policy) && (ReferenceEquals(shown, Document.Nothing) || shown.IsLapsed);
}
