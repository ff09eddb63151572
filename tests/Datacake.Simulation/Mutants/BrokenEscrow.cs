using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

/// <summary>A broken rule of bounded counters, with the rules that the replicas follow instead.</summary>
abstract class EscrowMutant(string rule, EscrowRules rules, string theme = "escrow") : Mutant(rule)
{
    public override string? Theme => theme;

    public override MachineFlaws Flaws => MachineFlaws.None with { Escrow = rules };
}

sealed class RightsOutliveRuns() : EscrowMutant("E5: a restarted store uses the rights of its earlier runs at once", new Rules(), "escrow copies")
{
    sealed class Rules : EscrowRules
    {
        public override bool MayUse(CounterHolder holder, (ulong Store, HlcTimestamp Run) own, bool isProven) => holder.Store == own.Store;
    }
}

sealed class RightsBelongToNodes() : EscrowMutant("E5: a store uses the rights of an earlier store of its node", new Rules(), "escrow of the lost")
{
    sealed class Rules : EscrowRules
    {
        public override bool MayUse(CounterHolder holder, (ulong Store, HlcTimestamp Run) own, bool isProven) =>
            holder.Run.Node == own.Run.Node && (holder.Run == own.Run || isProven);
    }
}

sealed class GiftsAreKept() : EscrowMutant("E6: both the giver and the receiver have the rights of a gift", new Rules())
{
    sealed class Rules : EscrowRules
    {
        public override BoundedShare Give(BoundedShare share, RightsGift gift)
        {
            var given = share.Give(gift);
            return given with { Total = given.Total + gift.Down - gift.Up };
        }
    }
}

sealed class GroundIsNotChecked() : EscrowMutant("E4: a change is shown before the gift that it is based on", new Rules())
{
    sealed class Rules : EscrowRules
    {
        public override bool IsGrounded(Document document) => true;
    }
}

sealed class SalesAreNotFlushed() : EscrowMutant("E3: a sale is acknowledged before it is flushed", new Rules())
{
    sealed class Rules : EscrowRules
    {
        public override bool MustFlush => false;
    }
}

sealed class DecidesBeforeCommit() : EscrowMutant("E3: a sale is decided before its commit, against a state that lacks the sale before it", new Rules())
{
    sealed class Rules : EscrowRules
    {
        readonly Dictionary<(ulong Store, HlcTimestamp First), BoundedCounter> _decided = [];

        public override IReadOnlyList<(HlcTimestamp Run, BoundedShare Share)>? TryAdd(
            BoundedCounter counter, long amount, (ulong Store, HlcTimestamp Run) own, bool isProven)
        {
            var key = (own.Store, counter.Holders.First().Run);
            if (!_decided.Remove(key, out var state))
                _decided[key] = state = counter;
            return base.TryAdd(state, amount, own, isProven);
        }
    }
}
