namespace Datacake.Crdt;

/// <summary>A view of one cell in the bytes of a document.</summary>
public readonly ref struct DocumentCell
{
    internal DocumentCell(ReadOnlySpan<byte> path, HlcTimestamp stamp, bool isRemoved, ReadOnlySpan<byte> value)
    {
        EncodedPath = path;
        Stamp = stamp;
        IsRemoved = isRemoved;
        Value = value;
    }

    /// <summary>Gets the encoded <see cref="DocumentPath"/>.</summary>
    public ReadOnlySpan<byte> EncodedPath { get; }

    /// <summary>Gets the stamp of the transaction that wrote the cell.</summary>
    public HlcTimestamp Stamp { get; }

    /// <summary>True if the value at the path was removed.</summary>
    public bool IsRemoved { get; }

    /// <summary>Gets the value in the encoding of its writer (MessagePack by convention); empty if the value was removed.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Gets the kind of the path.</summary>
    public DocumentPathKind Kind => DocumentPath.KindOf(EncodedPath);

    /// <summary>Gets the name of the property in UTF-8; empty if the path has no property.</summary>
    public ReadOnlySpan<byte> Property => DocumentPath.PropertyOf(EncodedPath);

    /// <summary>Gets the encoded element of a set or key of a dictionary; empty if the cell is neither.</summary>
    public ReadOnlySpan<byte> Element => Kind == DocumentPathKind.Element ? DocumentPath.SuffixOf(EncodedPath) : [];

    /// <summary>Gets the stamp of the put that a counter share belongs to; <see cref="HlcTimestamp.None"/> for other cells.</summary>
    public HlcTimestamp ShareBorn => Kind == DocumentPathKind.CounterShare ? DocumentPath.ShareBorn(EncodedPath) : HlcTimestamp.None;

    /// <summary>Gets the run of the writer that a counter share belongs to; <see cref="HlcTimestamp.None"/> for other cells.</summary>
    public HlcTimestamp ShareRun => Kind == DocumentPathKind.CounterShare ? DocumentPath.ShareRun(EncodedPath) : HlcTimestamp.None;

    /// <summary>
    /// Returns true if a reader sees the cell in a document whose newest put is <paramref name="born"/>. Readers see all cells except
    /// removed cells, counter shares of older puts, and the note of an assertion.
    /// </summary>
    public bool IsShown(HlcTimestamp born) => !IsRemoved && Kind switch
    {
        DocumentPathKind.CounterShare => ShareBorn == born,
        DocumentPathKind.Assertion => false,
        _ => true,
    };

    /// <inheritdoc/>
    public override string ToString() =>
        $"{DocumentPath.Describe(EncodedPath)} @ {Stamp} = "
        + (IsRemoved ? "removed" : Convert.ToHexString(Value[..Math.Min(Value.Length, 32)]));
}
