using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Cells;

/// <summary>The encoded content of an entity: its cells and, separately, the values of its counters.</summary>
/// <remarks>
/// Changes are found by comparing the encoded content with that of the last load or save. Entity classes thus stay plain: they need no
/// proxies, no notifications and no virtual properties, and a change inside a list or an owned object is found as well. The comparison also
/// yields exactly the cells to write, so that concurrent edits of other cells survive the merge.
/// </remarks>
sealed record EntityContent(DocumentContent Cells, IReadOnlyList<CounterIncrement> Counters)
{
    public bool IsEmpty => Cells.Count == 0 && Counters.Count == 0;

    /// <summary>
    /// Returns what must be written to turn <paramref name="original"/> into this content: changed cells, removed cells, and the amounts to
    /// add to counters.
    /// </summary>
    public EntityContent ChangesFrom(EntityContent original)
    {
        if (Cells.Length == original.Cells.Length && Cells.SequenceEqual(original.Cells) && Counters.SequenceEqual(original.Counters))
            return new EntityContent(DocumentContent.Empty, []);

        var changes = new DocumentContentBuilder();
        var left = original.Cells.GetEnumerator();
        var right = Cells.GetEnumerator();
        bool hasLeft = left.MoveNext(), hasRight = right.MoveNext();
        while (hasLeft || hasRight)
        {
            int order = !hasLeft ? 1 : !hasRight ? -1 : left.Current.EncodedPath.SequenceCompareTo(right.Current.EncodedPath);
            if (order < 0)
                changes.Remove(left.Current.EncodedPath);
            else if (order > 0 || !left.Current.Value.SequenceEqual(right.Current.Value))
                changes.Set(right.Current.EncodedPath, right.Current.Value);
            if (order <= 0)
                hasLeft = left.MoveNext();
            if (order >= 0)
                hasRight = right.MoveNext();
        }
        return new EntityContent(changes.Build(), CounterChanges(original.Counters));
    }

    /// <summary>
    /// Returns the changes from <paramref name="original"/> together with every unchanged cell, so that the whole entity is written.
    /// </summary>
    public EntityContent AssertedOver(EntityContent original)
    {
        var all = new DocumentContentBuilder();
        foreach (var cell in Cells)
            all.Set(cell.EncodedPath, cell.Value);
        foreach (var cell in ChangesFrom(original).Cells)
        {
            if (cell.IsRemoved)
                all.Remove(cell.EncodedPath);
        }
        return new EntityContent(all.Build(), CounterChanges(original.Counters));
    }

    /// <summary>Returns true if a property, including the elements of a collection, has the same content in both entities.</summary>
    public bool HasSameValue(string property, EntityContent other)
    {
        byte[] name = Encoding.UTF8.GetBytes(property);
        foreach (var change in ChangesFrom(other).Cells)
        {
            if (change.Property.SequenceEqual(name))
                return false;
        }
        return ValueOf(Counters, property) == ValueOf(other.Counters, property);
    }

    /// <summary>Returns true if the content has a cell of a property.</summary>
    public bool HasCellOf(string property)
    {
        byte[] name = Encoding.UTF8.GetBytes(property);
        foreach (var cell in Cells)
        {
            if (cell.Property.SequenceEqual(name))
                return true;
        }
        return false;
    }

    List<CounterIncrement> CounterChanges(IReadOnlyList<CounterIncrement> original)
    {
        var changes = new List<CounterIncrement>();
        foreach (var counter in Counters)
        {
            long change = unchecked(counter.Amount - ValueOf(original, counter.Property));
            if (change != 0)
                changes.Add(counter with { Amount = change });
        }
        // When an owned object is removed, its counters go with it.
        foreach (var counter in original)
        {
            if (counter.Amount != 0 && !Counters.Any(other => other.Property == counter.Property))
                changes.Add(counter with { Amount = unchecked(-counter.Amount) });
        }
        return changes;
    }

    static long ValueOf(IReadOnlyList<CounterIncrement> counters, string property)
    {
        foreach (var counter in counters)
        {
            if (counter.Property == property)
                return counter.Amount;
        }
        return 0;
    }
}
