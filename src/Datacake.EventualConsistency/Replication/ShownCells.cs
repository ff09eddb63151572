using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The cells that a document shows, as the parts of a put that shows the same.</summary>
static class ShownCells
{
    /// <summary>Adds the cells of a document to a content, and the totals of its counters to others.</summary>
    /// <param name="document">The document.</param>
    /// <param name="content">The content, which gets all shown cells but the shares of counters.</param>
    /// <param name="counters">The totals by property, to which the shares are added. The put begins its counters anew with them.</param>
    /// <param name="withBounded">True to add the shares of counters with bounds, too; false to leave them out.</param>
    public static void AddTo(Document document, DocumentContentBuilder content, IDictionary<string, long> counters, bool withBounded)
    {
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born) || cell.Kind == DocumentPathKind.Assertion)
                continue;
            if (cell.Kind != DocumentPathKind.CounterShare)
            {
                content.Set(cell.EncodedPath, cell.Value);
                continue;
            }
            if (!withBounded && BoundedShare.IsBounded(cell.Value))
                continue;
            string property = Encoding.UTF8.GetString(cell.Property);
            counters[property] = unchecked((counters.TryGetValue(property, out long total) ? total : 0) + CounterValue.Read(cell.Value));
        }
    }
}
