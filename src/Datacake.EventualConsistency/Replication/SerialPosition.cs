using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The record, in each transaction of a sequencer, of the stamps that come before it in the sequence. A store that shows the transaction and does not know these
/// stamps has a gap: it has received a later transaction before an earlier one, and must not be read serially [S7].
/// </summary>
static class SerialPosition
{
    /// <summary>The reserved keyspace of what sequencers record.</summary>
    public const string Keyspace = "datacake.outcomes";

    /// <summary>Gets the key of the document, which comes before the records of all lanes.</summary>
    public static DocumentKey Key { get; } = DocumentKey.Of(0UL);

    /// <summary>Returns the content of the document.</summary>
    /// <param name="earlier">The stamps of all earlier effects.</param>
    public static DocumentContent ToContent(VersionVector earlier) =>
        DocumentContent.OfRaw(Record.Encode(earlier, static (ref writer, earlier) => Record.WriteVector(ref writer, earlier)));

    /// <summary>Returns the stamps that come before what a store shows, by the document; none if there is none.</summary>
    public static VersionVector Of(Document document) => document.IsAlive(MergePolicy.Serial) && document.Value is { } value
        ? Record.Decode(value, "the position in the sequence", static (ref reader) => Record.ReadVector(ref reader))
        : VersionVector.Empty;

    /// <summary>Returns true if a snapshot has no gap in the sequence.</summary>
    /// <param name="document">The document in the snapshot.</param>
    /// <param name="known">The stamps that the snapshot knows.</param>
    public static bool IsWithoutGap(Document document, VersionVector known) => known.Covers(Of(document));

    /// <summary>
    /// Returns the stamp of the last transaction of the sequence that a store shows; none if it shows none. Whatever a sequencer has applied below it, and the
    /// store does not know, was applied again under a later stamp, and is superseded [S10].
    /// </summary>
    public static HlcTimestamp StampOf(Document document) => document.IsAlive(MergePolicy.Serial) ? document.Born : HlcTimestamp.None;
}
