namespace Datacake.Crdt;

/// <summary>The flags in the first byte of an encoded cell.</summary>
[Flags]
enum CellFlags : byte
{
    /// <summary>A cell with a value, and with its own stamp after the path.</summary>
    None = 0,

    /// <summary>A cell whose value was removed and is omitted.</summary>
    Removed = 1,

    /// <summary>A cell with the stamp of the document's newest put, which is omitted.</summary>
    StampIsBorn = 2,

    /// <summary>A cell with the stamp of the document's newest update, which is omitted.</summary>
    StampIsTouched = 4,

    StampMask = StampIsBorn | StampIsTouched,
}
