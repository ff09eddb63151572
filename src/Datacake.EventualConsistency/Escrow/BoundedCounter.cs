using System.Text;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Escrow;

/// <summary>A bounded counter of a document: its bounds, and who has the rights to change it [E2].</summary>
/// <remarks>See ESCROW.md. The rights of all writers add up to the distance of the counter's value from its bound.</remarks>
sealed class BoundedCounter
{
    readonly SortedDictionary<HlcTimestamp, CounterHolder> _holders = [];

    BoundedCounter(string property) => Property = property;

    /// <summary>Gets the name of the property.</summary>
    public string Property { get; }

    /// <summary>Gets the minimum, or null if there is none.</summary>
    public long? Minimum { get; private set; }

    /// <summary>Gets the maximum, or null if there is none.</summary>
    public long? Maximum { get; private set; }

    /// <summary>Gets the writers that have a share or have received rights, in the order of their runs.</summary>
    public IReadOnlyCollection<CounterHolder> Holders => _holders.Values;

    /// <summary>True if all rights are known that the shares in the document are based on [E4].</summary>
    public bool IsGrounded => _holders.Values.All(holder => (Minimum is null || holder.Down >= 0) && (Maximum is null || holder.Up >= 0));

    /// <summary>Returns the bound in a direction, or null if there is none.</summary>
    public long? Bound(bool isUp) => isUp ? Maximum : Minimum;

    /// <summary>Returns the bounded counter that has no share yet: its value and its minimum are 0, so nobody has any rights.</summary>
    public static BoundedCounter AtZero(string property) => new(property) { Minimum = 0 };

    /// <summary>Returns a counter of a document, or null if it has no share of a bounded counter.</summary>
    public static BoundedCounter? Of(Document document, string property)
    {
        byte[] name = Encoding.UTF8.GetBytes(property);
        List<(HlcTimestamp, BoundedShare)>? shares = null;
        foreach (var cell in document.Cells)
        {
            if (IsBoundedShare(cell) && cell.IsShown(document.Born) && cell.Property.SequenceEqual(name))
                (shares ??= []).Add((cell.ShareRun, BoundedShare.Read(cell.Value)));
        }
        return shares is null ? null : Of(property, shares);
    }

    /// <summary>Returns all bounded counters that a document shows.</summary>
    public static IReadOnlyList<BoundedCounter> AllOf(Document document)
    {
        if (!HasAny(document))
            return [];
        var shares = new Dictionary<string, List<(HlcTimestamp, BoundedShare)>>();
        foreach (var cell in document.Cells)
        {
            if (!IsBoundedShare(cell) || !cell.IsShown(document.Born))
                continue;
            string property = Encoding.UTF8.GetString(cell.Property);
            if (!shares.TryGetValue(property, out var ofProperty))
                shares.Add(property, ofProperty = []);
            ofProperty.Add((cell.ShareRun, BoundedShare.Read(cell.Value)));
        }
        return [.. shares.Select(static entry => Of(entry.Key, entry.Value))];
    }

    /// <summary>Returns true if a document or a delta has a share of a bounded counter.</summary>
    public static bool HasAny(Document document)
    {
        foreach (var cell in document.Cells)
        {
            if (IsBoundedShare(cell))
                return true;
        }
        return false;
    }

    /// <summary>Returns true if a document has a value of a counter that is not bounded, or a value from before it was a counter.</summary>
    public static bool HasUnbounded(Document document, string property)
    {
        byte[] name = Encoding.UTF8.GetBytes(property);
        foreach (var cell in document.Cells)
        {
            if (cell.Kind is DocumentPathKind.CounterShare or DocumentPathKind.Property && cell.IsShown(document.Born) && !IsBoundedShare(cell)
                && cell.Property.SequenceEqual(name))
                return true;
        }
        return false;
    }

    static bool IsBoundedShare(DocumentCell cell) => cell.Kind == DocumentPathKind.CounterShare && !cell.IsRemoved && BoundedShare.IsBounded(cell.Value);

    static BoundedCounter Of(string property, List<(HlcTimestamp Run, BoundedShare Share)> shares)
    {
        var counter = new BoundedCounter(property);
        bool isFounded = false;
        foreach (var (_, share) in shares)
        {
            if (share.Minimum is null && share.Maximum is null)
                continue;
            (counter.Minimum, counter.Maximum, isFounded) = (share.Minimum, share.Maximum, true);
        }
        if (!isFounded)
            counter.Minimum = 0;
        foreach (var (run, share) in shares)
        {
            counter.Add(run, share.Store, share, (Int128)share.Total - (share.Minimum ?? 0), (share.Maximum ?? 0) - (Int128)share.Total);
            foreach (var gift in share.Gifts)
            {
                counter.Add(run, share.Store, null, -gift.Down, -gift.Up);
                counter.Add(gift.Run, gift.Store, null, gift.Down, gift.Up);
            }
        }
        return counter;
    }

    void Add(HlcTimestamp run, ulong store, BoundedShare? share, Int128 down, Int128 up)
    {
        var before = _holders.GetValueOrDefault(run) ?? new CounterHolder(run, store, null, 0, 0);
        _holders[run] = before with { Share = share ?? before.Share, Down = before.Down + down, Up = before.Up + up };
    }
}
