using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The decision of a full reconcile on a single document: what remains of each side, and what is asserted again [R13]. Stateless.
/// </summary>
static class DocumentReconciliation
{
    /// <summary>Returns the rest of a document that only one side has, and the delta that asserts it again, if one is needed.</summary>
    public static (Document, DocumentDelta?) Survive(Document document, ReconciledSide other, VersionVector known, HlcTimestamp stamp, MergePolicy policy)
    {
        if (document.IsWithin(other.Knows))
            return (Document.Nothing, null);                                    // the other side had all of it, and purged it
        // A serial document is never asserted again. What one side alone knows of it, below the last serial transaction of the other side, was applied again by
        // a later sequencer, so the other side had it, and its delete [S10].
        if (policy == MergePolicy.Serial)
            return document.Newest <= other.Serial ? (Document.Nothing, null) : (document, null);
        if (document.Born.IsNone || document.Born > other.Purged)
            return (document, null);                                            // the other side has purged nothing newer

        // If the other side knows everything but the delete, it had everything that is shown here, and has since deleted and purged it. One that has lapsed is asserted as dead: below the other
        // side's purge mark, its put would not supersede everything that it has superseded here [R20].
        bool isDead = !document.IsAlive(policy) || (policy == MergePolicy.DeleteWins && other.Knows.Contains(document.Born))
            || IsContentWithin(document, other.Knows);
        return (document, new DocumentDelta(default, HlcTimestamp.None, Assertion.Of(document, stamp, known, isDead)));
    }

    /// <summary>
    /// Returns the combination of a document that both sides have, of which only single cells may have been purged, and the delta that
    /// asserts cells again, if one is needed.
    /// </summary>
    /// <remarks>
    /// The merge of both sides would show cells that one side has removed and whose removal it has purged. A side that knows a cell's stamp
    /// and does not hold the cell has done that, so the cell is dropped. A cell that the other side does not know is new to it. If the cell
    /// is at or below that side's purge mark, a purged removal may have been newer, and members that still hold that removal would not show
    /// the cell. So the cell gets a new stamp. A counter share never does, because only its own run writes it: a newer stamp of another
    /// node would hide the increments that the run has added since.
    /// </remarks>
    public static (Document, DocumentDelta?) Combine(
        Document mine, Document theirs, ReconciledSide here, ReconciledSide there, VersionVector known, HlcTimestamp stamp, MergePolicy policy)
    {
        var both = Document.Merge(mine, theirs);
        // A side that knows the other side's put without holding it has purged the whole document, and has received another delete of it
        // since.
        if (mine.Born < both.Born && here.Knows.Contains(both.Born))
            return both.IsWithin(here.Knows) ? (mine, null) : Survive(both, here, known, stamp, policy);
        if (theirs.Born < both.Born && there.Knows.Contains(both.Born))
            return both.IsWithin(there.Knows) ? (theirs, null) : Survive(both, there, known, stamp, policy);

        if (policy == MergePolicy.Serial)
            return (both, null);
        var again = new DocumentContentBuilder();
        both = both.Filter(cell =>
        {
            bool isMine = Holds(mine, cell), isTheirs = Holds(theirs, cell);
            if (!cell.IsShown(both.Born) || (isMine && isTheirs))
                return true;
            // A side that knows a cell without holding it has removed the cell, or folded the counter share into a later one, and has
            // purged the removal.
            return !(isMine ? there : here).Knows.Contains(cell.Stamp);
        });
        foreach (var cell in both.Cells)
        {
            bool isMine = Holds(mine, cell), isTheirs = Holds(theirs, cell);
            bool isOnOneSide = cell.IsShown(both.Born) && cell.Kind != DocumentPathKind.CounterShare && isMine != isTheirs;
            if (isOnOneSide && cell.Stamp <= (isMine ? there : here).Purged)
                again.Set(cell.EncodedPath, cell.Value);
        }
        if (again.Count == 0)
            return (both, null);
        var delta = Document.Update(stamp, again.Build());
        // If the put has lapsed, a later one, which may still be unknown, must not die with it [R20].
        bool isDeleted = (policy == MergePolicy.DeleteWins ? both.Born : HlcTimestamp.Max(both.Born, both.Touched)) <= both.Died;
        return (both, new DocumentDelta(default, both.Born, isDeleted ? Document.Merge(delta, Document.Delete(stamp)) : delta));

        // A side that has purged a later removal of a cell may since have received an earlier removal, from a member that it had forgotten.
        static bool Holds(Document side, DocumentCell cell) =>
            side.TryGetCell(cell.EncodedPath, out var held) && (!held.IsRemoved || held.Stamp >= cell.Stamp);
    }

    static bool IsContentWithin(Document document, VersionVector known)
    {
        if (!known.Contains(document.Born) || (!document.Touched.IsNone && !known.Contains(document.Touched)))
            return false;
        foreach (var cell in document.Cells)
        {
            if (!known.Contains(cell.Stamp))
                return false;
        }
        return true;
    }
}
