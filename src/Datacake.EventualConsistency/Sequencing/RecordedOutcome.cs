using System.Buffers.Binary;
using Datacake.Crdt;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The outcome of the last transaction of a lane that has one, as the store records it [S8].</summary>
/// <param name="Number">The number of the transaction; 0 if there was none.</param>
/// <param name="Conflict">The index of the condition that did not hold; -1 if the transaction took effect.</param>
readonly record struct RecordedOutcome(ulong Number, int Conflict)
{
    const int Length = sizeof(ulong) + sizeof(int);

    /// <summary>Returns the content of the document that records the outcome.</summary>
    public DocumentContent ToContent()
    {
        Span<byte> value = stackalloc byte[Length];
        BinaryPrimitives.WriteUInt64LittleEndian(value, Number);
        BinaryPrimitives.WriteInt32LittleEndian(value[sizeof(ulong)..], Conflict);
        return DocumentContent.OfRaw(value);
    }

    /// <summary>Reads the outcome from the document that records it, which need not exist.</summary>
    public static RecordedOutcome Of(Document document) => document.IsAlive(MergePolicy.Serial) && document.Value is { Length: Length } value
        ? new(BinaryPrimitives.ReadUInt64LittleEndian(value.Span), BinaryPrimitives.ReadInt32LittleEndian(value.Span[sizeof(ulong)..]))
        : default;
}
