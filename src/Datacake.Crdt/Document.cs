using System.Buffers;
using System.Text;

namespace Datacake.Crdt;

/// <summary>
/// The mergeable state of one document: cells, each with the stamp of the transaction that wrote it, and the stamps of the newest put
/// (<see cref="Born"/>), update (<see cref="Touched"/>) and delete (<see cref="Died"/>). Immutable; it is its encoded bytes, and is read in place.
/// </summary>
/// <remarks>
/// <see cref="Merge"/> is the only merge rule there is: the greatest stamp of each, then the cells older than the newest put are gone. It is a
/// join of a semilattice (Shapiro et al., Conflict-free Replicated Data Types, 2011), so neither order nor repetition of merges matters.
/// Encoding: a format byte, a byte that says which of the three stamps follow, these stamps, then the cells in ascending order of their paths.
/// The encoding of a state is unique, so that equal states have equal bytes.
/// </remarks>
public sealed class Document : IEquatable<Document>
{
    const byte Format = 1;
    const byte HasBorn = 1, HasTouched = 2, HasDied = 4;

    readonly int _cellsStart;

    Document(ReadOnlyMemory<byte> encoded, HlcTimestamp born, HlcTimestamp touched, HlcTimestamp died, int cellsStart)
    {
        Encoded = encoded;
        Born = born;
        Touched = touched;
        Died = died;
        _cellsStart = cellsStart;
    }

    /// <summary>The document that nothing has been written to: merging it changes nothing.</summary>
    public static Document Nothing { get; } = Assemble(default, default, default, []);

    /// <summary>The encoded document.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The newest put of the whole document, or <see cref="HlcTimestamp.None"/>.</summary>
    public HlcTimestamp Born { get; }

    /// <summary>The newest update, or <see cref="HlcTimestamp.None"/>.</summary>
    public HlcTimestamp Touched { get; }

    /// <summary>The newest delete, or <see cref="HlcTimestamp.None"/>.</summary>
    public HlcTimestamp Died { get; }

    /// <summary>The newest stamp of the document.</summary>
    public HlcTimestamp Newest => HlcTimestamp.Max(HlcTimestamp.Max(Born, Touched), Died);

    /// <summary>The cells in ascending order of their paths, removed ones included.</summary>
    public DocumentCells Cells => new(Encoded.Span[_cellsStart..], Born, Touched);

    /// <summary>The value of a raw document, or <see langword="null"/> if it has none. A view of the document's bytes.</summary>
    public ReadOnlyMemory<byte>? Value
    {
        get
        {
            // The root's path is empty and so comes first.
            foreach (var cell in Cells)
                return cell.Kind == DocumentPathKind.Root && !cell.IsRemoved ? MemoryOf(cell.Value) : null;
            return null;
        }
    }

    /// <summary>Whether readers see the document.</summary>
    public bool IsAlive(MergePolicy policy) => (policy == MergePolicy.DeleteWins ? Born : HlcTimestamp.Max(Born, Touched)) > Died;

    /// <summary>A whole put: what it does not name is gone.</summary>
    public static Document Put(HlcTimestamp stamp, DocumentContent content) => Assemble(stamp, default, default, content.Cells);

    /// <summary>An update of some cells.</summary>
    public static Document Update(HlcTimestamp stamp, DocumentContent content)
    {
        var cells = new ArrayBufferWriter<byte>(Math.Max(content.Cells.Length, 1));
        foreach (var cell in new DocumentCells(content.Cells, stamp, default))
            WriteCell(cells, cell, born: default, touched: stamp);
        return Assemble(default, stamp, default, cells.WrittenSpan);
    }

    /// <summary>A delete.</summary>
    public static Document Delete(HlcTimestamp stamp) => Assemble(default, default, stamp, []);

    /// <summary>The state that reflects both: commutative, associative and idempotent.</summary>
    public static Document Merge(Document a, Document b)
    {
        if (ReferenceEquals(a, Nothing) || ReferenceEquals(a, b))
            return b;
        if (ReferenceEquals(b, Nothing))
            return a;

        var born = HlcTimestamp.Max(a.Born, b.Born);
        var touched = HlcTimestamp.Max(a.Touched, b.Touched);
        var died = HlcTimestamp.Max(a.Died, b.Died);
        var output = new ArrayBufferWriter<byte>(a.Encoded.Length + b.Encoded.Length);
        WriteHeader(output, born, touched, died);
        int cellsStart = output.WrittenCount;

        var left = a.Cells;
        var right = b.Cells;
        bool hasLeft = left.MoveNext(), hasRight = right.MoveNext();
        while (hasLeft || hasRight)
        {
            int order = !hasLeft ? 1 : !hasRight ? -1 : left.Current.EncodedPath.SequenceCompareTo(right.Current.EncodedPath);
            var cell = order < 0 || (order == 0 && Supersedes(left.Current, right.Current)) ? left.Current : right.Current;
            if (cell.Stamp >= born)
                WriteCell(output, cell, born, touched);
            if (order <= 0)
                hasLeft = left.MoveNext();
            if (order >= 0)
                hasRight = right.MoveNext();
        }
        return new(output.WrittenMemory, born, touched, died, cellsStart);
    }

    /// <summary>The same document without the cells that <paramref name="keep"/> refuses; the same instance if it keeps all.</summary>
    public Document Filter(Predicate keep)
    {
        bool keepsAll = true;
        foreach (var cell in Cells)
            keepsAll &= keep(cell);
        if (keepsAll)
            return this;
        var output = new ArrayBufferWriter<byte>(Encoded.Length);
        output.Write(Encoded.Span[.._cellsStart]);
        foreach (var cell in Cells)
        {
            if (keep(cell))
                WriteCell(output, cell, Born, Touched);
        }
        return new(output.WrittenMemory, Born, Touched, Died, _cellsStart);
    }

    /// <summary>Says which cells <see cref="Filter"/> keeps.</summary>
    public delegate bool Predicate(DocumentCell cell);

    /// <summary>Whether all stamps of the document are in a set.</summary>
    public bool IsWithin(VersionVector known)
    {
        if (!Has(Born) || !Has(Touched) || !Has(Died))
            return false;
        foreach (var cell in Cells)
        {
            if (!known.Contains(cell.Stamp))
                return false;
        }
        return true;

        bool Has(HlcTimestamp stamp) => stamp.IsNone || known.Contains(stamp);
    }

    /// <summary>Finds a cell by its encoded path; removed ones are found too.</summary>
    public bool TryGetCell(ReadOnlySpan<byte> encodedPath, out DocumentCell cell)
    {
        foreach (var candidate in Cells)
        {
            int order = candidate.EncodedPath.SequenceCompareTo(encodedPath);
            if (order > 0)
                break;
            if (order == 0)
            {
                cell = candidate;
                return true;
            }
        }
        cell = default;
        return false;
    }

    /// <summary>Wraps an encoded document, which must not change any more, after checking all of it.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a document, or one of a newer format.</exception>
    public static Document Parse(ReadOnlyMemory<byte> encoded)
    {
        var rest = encoded.Span;
        var head = EncodedInteger.Take(ref rest, 2);
        if (head[0] != Format)
            throw new InvalidDataException($"The document is of format {head[0]}; this version of the library reads format {Format}.");
        if (head[1] > (HasBorn | HasTouched | HasDied))
            throw new InvalidDataException($"The document's header has unknown flags ({head[1]:X2}).");
        var born = ReadStamp(ref rest, head[1] & HasBorn);
        var touched = ReadStamp(ref rest, head[1] & HasTouched);
        var died = ReadStamp(ref rest, head[1] & HasDied);
        ValidateCells(rest, born, touched);
        return new(encoded, born, touched, died, encoded.Length - rest.Length);
    }

    static HlcTimestamp ReadStamp(ref ReadOnlySpan<byte> source, int flag)
    {
        if (flag == 0)
            return HlcTimestamp.None;
        var stamp = HlcTimestamp.Read(EncodedInteger.Take(ref source, HlcTimestamp.Size));
        return stamp.IsNone ? throw new InvalidDataException("A stamp of the document's header is zero.") : stamp;
    }

    static void ValidateCells(ReadOnlySpan<byte> cells, HlcTimestamp born, HlcTimestamp touched)
    {
        var enumerator = new DocumentCells(cells, born, touched);
        ReadOnlySpan<byte> previous = default;
        for (bool isFirst = true; ; isFirst = false)
        {
            var flags = cells.IsEmpty ? CellFlags.None : (CellFlags)cells[0];
            if (!enumerator.MoveNext())
                return;
            var cell = enumerator.Current;
            cells = enumerator.Rest;
            DocumentPath.Validate(cell.EncodedPath);
            if (!isFirst && previous.SequenceCompareTo(cell.EncodedPath) >= 0)
                throw new InvalidDataException("The cells of the document are not in ascending order.");
            if (cell.Stamp.IsNone || cell.Stamp < born || flags != FlagsOf(cell, born, touched))
                throw new InvalidDataException($"The cell {DocumentPath.Describe(cell.EncodedPath)} of the document has an impossible stamp.");
            previous = cell.EncodedPath;
        }
    }

    /// <inheritdoc/>
    public bool Equals(Document? other) => other is not null && Encoded.Span.SequenceEqual(other.Encoded.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Document);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Encoded.Span);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder($"born {Born}, touched {Touched}, died {Died}");
        foreach (var cell in Cells)
            text.Append("; ").Append(cell.ToString());
        return text.ToString();
    }

    ReadOnlyMemory<byte> MemoryOf(ReadOnlySpan<byte> part)
    {
        Encoded.Span.Overlaps(part, out int offset);
        return Encoded.Slice(offset, part.Length);
    }

    /// <summary>Which of two cells of one path is kept. Equal stamps come of equal writes; the rest makes the rule total all the same.</summary>
    static bool Supersedes(DocumentCell left, DocumentCell right)
    {
        if (left.Stamp != right.Stamp)
            return left.Stamp > right.Stamp;
        return left.IsRemoved != right.IsRemoved ? left.IsRemoved : left.Value.SequenceCompareTo(right.Value) >= 0;
    }

    static Document Assemble(HlcTimestamp born, HlcTimestamp touched, HlcTimestamp died, ReadOnlySpan<byte> cells)
    {
        var output = new ArrayBufferWriter<byte>(2 + (3 * HlcTimestamp.Size) + cells.Length);
        WriteHeader(output, born, touched, died);
        int cellsStart = output.WrittenCount;
        output.Write(cells);
        return new(output.WrittenMemory, born, touched, died, cellsStart);
    }

    static void WriteHeader(ArrayBufferWriter<byte> output, HlcTimestamp born, HlcTimestamp touched, HlcTimestamp died)
    {
        output.Write([Format, (byte)((born.IsNone ? 0 : HasBorn) | (touched.IsNone ? 0 : HasTouched) | (died.IsNone ? 0 : HasDied))]);
        WriteStamp(output, born);
        WriteStamp(output, touched);
        WriteStamp(output, died);
    }

    static void WriteStamp(ArrayBufferWriter<byte> output, HlcTimestamp stamp)
    {
        if (stamp.IsNone)
            return;
        stamp.Write(output.GetSpan(HlcTimestamp.Size));
        output.Advance(HlcTimestamp.Size);
    }

    static CellFlags FlagsOf(DocumentCell cell, HlcTimestamp born, HlcTimestamp touched) =>
        (cell.IsRemoved ? CellFlags.Removed : CellFlags.None)
        | (cell.Stamp == born ? CellFlags.StampIsBorn : cell.Stamp == touched ? CellFlags.StampIsTouched : CellFlags.None);

    internal static void WriteCell(ArrayBufferWriter<byte> output, DocumentCell cell, HlcTimestamp born, HlcTimestamp touched)
    {
        var flags = FlagsOf(cell, born, touched);
        output.Write([(byte)flags]);
        EncodedInteger.Write(output, (uint)cell.EncodedPath.Length);
        output.Write(cell.EncodedPath);
        if ((flags & CellFlags.StampMask) == 0)
            WriteStamp(output, cell.Stamp);
        if (cell.IsRemoved)
            return;
        EncodedInteger.Write(output, (uint)cell.Value.Length);
        output.Write(cell.Value);
    }
}
