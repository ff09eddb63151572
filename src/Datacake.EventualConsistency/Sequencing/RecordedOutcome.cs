using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The outcome of the last transaction of a lane that has one, as the store records it [S8].</summary>
/// <param name="Number">The number of the transaction; 0 if there was none.</param>
/// <param name="Refusal">The reason for which the transaction was refused; null if it took effect.</param>
/// <param name="Numbers">The numbers that the transaction was assigned; null for none.</param>
readonly record struct RecordedOutcome(ulong Number, SerialRefusal? Refusal, IReadOnlyList<long>? Numbers)
{
    /// <summary>Returns the content of the document that records the outcome.</summary>
    public DocumentContent ToContent() => DocumentContent.OfRaw(Record.Encode(this, static (ref writer, outcome) =>
    {
        writer.Write(outcome.Number);
        SerialRefusal.Write(ref writer, outcome.Refusal);
        SerialNumber.WriteAll(ref writer, outcome.Numbers ?? []);
    }));

    /// <summary>Reads the outcome from the document that records it, which need not exist.</summary>
    /// <exception cref="InvalidDataException">The record is damaged.</exception>
    public static RecordedOutcome Of(Document document) => document.IsAlive(MergePolicy.Serial) && document.Value is { } value
        ? Record.Decode(value, "the outcome of a serial transaction", static (ref reader) => new RecordedOutcome(reader.ReadUInt64(), SerialRefusal.ReadAny(ref reader), SerialNumber.ReadAll(ref reader)))
        : default;
}
