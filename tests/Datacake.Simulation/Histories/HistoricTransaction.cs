using Datacake.Crdt;

namespace Datacake.Simulation.Histories;

/// <summary>A transaction of a replica, as recorded in the omniscient history.</summary>
/// <param name="Number">The transaction's position in the history.</param>
/// <param name="Stamp">The transaction's stamp.</param>
/// <param name="Run">The run of the replica that made it.</param>
/// <param name="Effects">The effect on each document.</param>
/// <param name="Past">The transactions that the replica had when it made this one.</param>
/// <param name="IsOfUser">True if a user made the transaction; false if a full reconcile did.</param>
/// <param name="Increments">The amounts added to counters.</param>
sealed record HistoricTransaction(
    int Number, HlcTimestamp Stamp, HlcTimestamp Run, IReadOnlyList<(int Slot, Document Delta)> Effects, Holdings Past, bool IsOfUser,
    IReadOnlyList<Increment> Increments)
{
    public Document? EffectOn(int slot)
    {
        foreach (var (found, delta) in Effects)
        {
            if (found == slot)
                return delta;
        }
        return null;
    }
}
