namespace Datacake.Crdt;

/// <summary>The first byte of an encoded cell.</summary>
[Flags]
enum CellFlags : byte
{
    /// <summary>The stamp follows the path in full.</summary>
    None = 0,

    /// <summary>There is no value.</summary>
    Removed = 1,

    /// <summary>The stamp is that of the document's put, and left out.</summary>
    StampIsBorn = 2,

    /// <summary>The stamp is that of the document's newest update, and left out.</summary>
    StampIsTouched = 4,

    StampMask = StampIsBorn | StampIsTouched,
}
