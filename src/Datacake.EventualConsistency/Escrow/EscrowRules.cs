using Datacake.Crdt;

namespace Datacake.EventualConsistency.Escrow;

/// <summary>The decisions about the rights to bounded counters. Not sealed, so that the simulator can break each one.</summary>
/// <remarks>See ESCROW.md.</remarks>
class EscrowRules
{
    /// <summary>Returns true if a store may use the rights of a writer [E5].</summary>
    /// <param name="holder">The writer.</param>
    /// <param name="own">The store, and its present run.</param>
    /// <param name="isProven">True if the store has everything that exists of its earlier runs.</param>
    public virtual bool MayUse(CounterHolder holder, (ulong Store, HlcTimestamp Run) own, bool isProven) =>
        holder.Store == own.Store && (holder.Run == own.Run || isProven);

    /// <summary>Returns true if a document contains the ground of all its bounded shares, so that it may be shown [E4].</summary>
    public virtual bool IsGrounded(Document document) => BoundedCounter.AllOf(document).All(static counter => counter.IsGrounded);

    /// <summary>Returns the share of a writer after it has given rights [E6].</summary>
    public virtual BoundedShare Give(BoundedShare share, RightsGift gift) => share.Give(gift);

    /// <summary>Returns true if a commit has to be flushed because it uses rights [E3].</summary>
    public virtual bool MustFlush => true;

    /// <summary>
    /// Changes a counter with the rights that a store may use. Returns the shares to write, or null if the rights do not suffice. The
    /// document is unchanged.
    /// </summary>
    public virtual IReadOnlyList<(HlcTimestamp Run, BoundedShare Share)>? TryAdd(BoundedCounter counter, long amount, (ulong Store, HlcTimestamp Run) own, bool isProven)
    {
        bool isUp = amount > 0;
        var left = Int128.Abs(amount);
        var changed = new List<(HlcTimestamp, BoundedShare)>();
        var usable = Usable(counter, own, isProven).OrderByDescending(holder => holder.Rights(isUp)).ToArray();
        if (counter.Bound(isUp) is null)
        {
            var holder = usable.FirstOrDefault();
            var (run, share) = holder is null ? (own.Run, Fresh(own.Store)) : (holder.Run, holder.Share ?? Fresh(own.Store));
            var total = share.Total + (Int128)amount;
            return total < long.MinValue || total > long.MaxValue ? null : [(run, share with { Total = (long)total })];
        }
        foreach (var holder in usable)
        {
            var share = holder.Share ?? Fresh(own.Store);
            var total = isUp ? Int128.Min(long.MaxValue, share.Total + Int128.Min(left, holder.Up)) : Int128.Max(long.MinValue, share.Total - Int128.Min(left, holder.Down));
            var part = Int128.Abs(total - share.Total);
            if (holder.Rights(isUp) <= 0 || part == 0)
                break;
            changed.Add((holder.Run, share with { Total = (long)total }));
            left -= part;
            if (left == 0)
                return changed;
        }
        return null;
    }

    /// <summary>
    /// Gives rights to another store: what it asks for, or half of the difference if that is more. Returns the shares to write; none if
    /// there is nothing to give.
    /// </summary>
    public IReadOnlyList<(HlcTimestamp Run, BoundedShare Share)> GiveTo(
        BoundedCounter counter, bool isUp, long asked, (ulong Store, HlcTimestamp Run) receiver, (ulong Store, HlcTimestamp Run) own, bool isProven)
    {
        var usable = Usable(counter, own, isProven).OrderByDescending(holder => holder.Rights(isUp)).ToArray();
        var mine = Sum(usable, isUp);
        var theirs = Sum(counter.Holders.Where(holder => holder.Store == receiver.Store), isUp);
        var left = Int128.Min(mine, Int128.Max(asked, (mine - theirs) / 2));
        var changed = new List<(HlcTimestamp, BoundedShare)>();
        foreach (var holder in usable)
        {
            long part = Saturate(Int128.Min(left, holder.Rights(isUp)));
            if (part <= 0)
                break;
            changed.Add((holder.Run, Give(holder.Share ?? Fresh(own.Store), new RightsGift(receiver.Run, receiver.Store, isUp ? 0 : part, isUp ? part : 0))));
            left -= part;
        }
        return changed;
    }

    /// <summary>Returns the writers whose rights a store may use.</summary>
    public IEnumerable<CounterHolder> Usable(BoundedCounter counter, (ulong Store, HlcTimestamp Run) own, bool isProven) =>
        counter.Holders.Where(holder => MayUse(holder, own, isProven));

    /// <summary>Returns the sum of rights, without those that are missing their ground.</summary>
    public static Int128 Sum(IEnumerable<CounterHolder> holders, bool isUp)
    {
        Int128 sum = 0;
        foreach (var holder in holders)
            sum += Int128.Max(0, holder.Rights(isUp));
        return sum;
    }

    /// <summary>Returns a number as a <see langword="long"/>, or the nearest one.</summary>
    public static long Saturate(Int128 value) => (long)Int128.Clamp(value, long.MinValue, long.MaxValue);

    static BoundedShare Fresh(ulong store) => new(store, 0, null, null, []);
}
