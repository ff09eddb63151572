namespace Datacake.Crdt;

/// <summary>One cell of a document: a view over the document's bytes.</summary>
public readonly ref struct DocumentCell
{
    internal DocumentCell(ReadOnlySpan<byte> path, HlcTimestamp stamp, bool isRemoved, ReadOnlySpan<byte> value)
    {
        EncodedPath = path;
        Stamp = stamp;
        IsRemoved = isRemoved;
        Value = value;
    }

    /// <summary>The encoded <see cref="DocumentPath"/>.</summary>
    public ReadOnlySpan<byte> EncodedPath { get; }

    /// <summary>The transaction that wrote the cell.</summary>
    public HlcTimestamp Stamp { get; }

    /// <summary>Whether the cell says that there is no value any more.</summary>
    public bool IsRemoved { get; }

    /// <summary>The value, encoded as its writer chose (MessagePack, by convention); empty if removed.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>What the path leads to.</summary>
    public DocumentPathKind Kind => DocumentPath.KindOf(EncodedPath);

    /// <summary>The name of the property in UTF-8; empty for the root.</summary>
    public ReadOnlySpan<byte> Property => DocumentPath.PropertyOf(EncodedPath);

    /// <summary>The encoded element of a set, or key of a dictionary.</summary>
    public ReadOnlySpan<byte> Element => Kind == DocumentPathKind.Element ? DocumentPath.SuffixOf(EncodedPath) : [];

    /// <summary>The put that a counter's share belongs to; <see cref="HlcTimestamp.None"/> if this is not a share.</summary>
    public HlcTimestamp ShareBorn => Kind == DocumentPathKind.CounterShare ? DocumentPath.ShareBorn(EncodedPath) : HlcTimestamp.None;

    /// <summary>The run of the writer whose share of a counter this is; <see cref="HlcTimestamp.None"/> if this is not a share.</summary>
    public HlcTimestamp ShareRun => Kind == DocumentPathKind.CounterShare ? DocumentPath.ShareRun(EncodedPath) : HlcTimestamp.None;

    /// <summary>
    /// True if a reader of a document with this <paramref name="born"/> sees the cell: it is not removed, not a share of an older
    /// put's counter, and not the note of an assertion.
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
