using System.Buffers;
using System.Globalization;
using System.Text;

namespace Datacake.Crdt;

/// <summary>
/// The mergeable state of one document. It consists of cells, each with the stamp of the transaction that wrote it, and the stamps of
/// the newest put (<see cref="Born"/>), update (<see cref="Touched"/>) and delete (<see cref="Died"/>). Immutable. Cells are read in
/// place from the encoded bytes.
/// </summary>
/// <remarks>
/// <see cref="Merge"/> is the only merge rule. It keeps the greatest of each of the three stamps and the newest version of each cell,
/// then drops the cells that are older than the newest put. The expiry belongs to the put. Merging is the join of a semilattice (Shapiro et al., Conflict-free
/// Replicated Data Types, 2011), so neither the order nor the repetition of merges matters.
/// Encoding: a format byte, flags for the stamps that follow, these stamps, then the cells in ascending order of their paths.
/// Each state has exactly one encoding, so equal states have equal bytes.
/// </remarks>
public sealed class Document : IEquatable<Document>
{
    const byte Format = 1;
    const byte HasBorn = 1, HasTouched = 2, HasDied = 4, HasExpiry = 8, HasLapsed = 16;

    const int MaxHeaderSize = 2 + (4 * HlcTimestamp.Size);
    const int MaxStackBytes = 512;

    readonly int _cellsStart;
    readonly int _cellCount;

    Document(ReadOnlyMemory<byte> encoded, in Header header, int cellsStart, int cellCount)
    {
        Encoded = encoded;
        Born = header.Born;
        Touched = header.Touched;
        Died = header.Died;
        Expires = header.Expires;
        IsLapsed = header.IsLapsed;
        _cellsStart = cellsStart;
        _cellCount = cellCount;
    }

    /// <summary>Gets the document that nothing has been written to. Merging it into another document changes nothing.</summary>
    public static Document Nothing { get; } = Assemble(default, DocumentContent.Empty);

    /// <summary>Gets the encoded document.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>Gets the stamp of the newest put of the whole document, or <see cref="HlcTimestamp.None"/>.</summary>
    public HlcTimestamp Born { get; }

    /// <summary>Gets the stamp of the newest update, or <see cref="HlcTimestamp.None"/>.</summary>
    public HlcTimestamp Touched { get; }

    /// <summary>Gets the stamp of the newest delete, or <see cref="HlcTimestamp.None"/>.</summary>
    public HlcTimestamp Died { get; }

    /// <summary>
    /// Gets the instant from which on readers no longer see the newest put, or <see cref="HlcTimestamp.None"/> if it does not expire. Only the time of the
    /// stamp counts.
    /// </summary>
    public HlcTimestamp Expires { get; }

    /// <summary>
    /// True if some replica has found that the newest put has expired, and has removed the cells of that put. Such a document is not alive, and updates do not revive it.
    /// </summary>
    public bool IsLapsed { get; }

    /// <summary>Gets the greatest of <see cref="Born"/>, <see cref="Touched"/> and <see cref="Died"/>.</summary>
    public HlcTimestamp Newest => HlcTimestamp.Max(HlcTimestamp.Max(Born, Touched), Died);

    /// <summary>Gets the cells in ascending order of their paths, including removed cells.</summary>
    public DocumentCells Cells => new(Encoded.Span[_cellsStart..], Born, Touched);

    /// <summary>Gets a view of the document's bytes.</summary>
    public DocumentView View => new(Encoded.Span, new Header(Born, Touched, Died, Expires, IsLapsed), _cellsStart);

    /// <summary>Gets the value of a raw document as a slice of its bytes, or <see langword="null"/> if it has no value.</summary>
    public ReadOnlyMemory<byte>? Value
    {
        get
        {
            // The root comes first because its path is empty.
            var cells = Cells;
            if (!cells.MoveNext() || cells.Current.Kind != DocumentPathKind.Root || cells.Current.IsRemoved)
                return null;
            return MemoryOf(cells.Current.Value);
        }
    }

    /// <summary>Returns true if readers see the document under a merge policy.</summary>
    public bool IsAlive(MergePolicy policy) => View.IsAlive(policy);

    /// <inheritdoc cref="DocumentView.IsAliveAt"/>
    public bool IsAliveAt(HlcTimestamp now, MergePolicy policy) => View.IsAliveAt(now, policy);

    /// <summary>Creates a document that consists of one put. A put replaces the whole document: merging it drops all older cells.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The stamp is <see cref="HlcTimestamp.None"/>.</exception>
    public static Document Put(HlcTimestamp stamp, DocumentContent content) => Put(stamp, content, expires: HlcTimestamp.None);

    /// <summary>Creates a document that consists of one put, which readers see until it expires.</summary>
    /// <param name="stamp">The stamp of the put.</param>
    /// <param name="content">The content.</param>
    /// <param name="expires">The instant from which on readers no longer see the document, or <see cref="HlcTimestamp.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stamp is <see cref="HlcTimestamp.None"/>.</exception>
    public static Document Put(HlcTimestamp stamp, DocumentContent content, HlcTimestamp expires)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(stamp, HlcTimestamp.None);
        return Assemble(new Header(stamp, default, default, expires), content);
    }

    /// <summary>Creates a document that consists of one update of some cells.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The stamp is <see cref="HlcTimestamp.None"/>.</exception>
    public static Document Update(HlcTimestamp stamp, DocumentContent content)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(stamp, HlcTimestamp.None);
        return Assemble(new Header(default, stamp, default), content);
    }

    /// <summary>Creates a document that consists of one delete.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The stamp is <see cref="HlcTimestamp.None"/>.</exception>
    public static Document Delete(HlcTimestamp stamp)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(stamp, HlcTimestamp.None);
        return Assemble(new Header(default, default, stamp), DocumentContent.Empty);
    }

    /// <summary>Merges two states of a document. The operation is commutative, associative and idempotent.</summary>
    public static Document Merge(Document a, Document b)
    {
        if (ReferenceEquals(a, Nothing) || ReferenceEquals(a, b))
            return b;
        if (ReferenceEquals(b, Nothing))
            return a;

        // Equal puts have equal expiries; the greater one of unequal ones covers them only in order to be total.
        var born = HlcTimestamp.Max(a.Born, b.Born);
        bool isOfA = a.Born == born, isOfB = b.Born == born;
        var header = new Header(
            born,
            HlcTimestamp.Max(a.Touched, b.Touched),
            HlcTimestamp.Max(a.Died, b.Died),
            HlcTimestamp.Max(isOfA ? a.Expires : default, isOfB ? b.Expires : default),
            (isOfA && a.IsLapsed) || (isOfB && b.IsLapsed));

        // The bound is generous: a merged cell may have to spell out a stamp that its flags implied before. Therefore the result is built
        // in scratch memory and then copied into an array of its exact size.
        int bound = checked(MaxHeaderSize + a.Encoded.Length + b.Encoded.Length + ((a._cellCount + b._cellCount) * HlcTimestamp.Size));
        byte[]? rented = bound > MaxStackBytes ? ArrayPool<byte>.Shared.Rent(bound) : null;
        Span<byte> output = rented ?? stackalloc byte[MaxStackBytes];
        int cellsStart = WriteHeader(output, header);
        int end = cellsStart, count = 0;

        var left = a.Cells;
        var right = b.Cells;
        bool hasLeft = left.MoveNext(), hasRight = right.MoveNext();
        while (hasLeft || hasRight)
        {
            int order = !hasLeft ? 1 : !hasRight ? -1 : left.Current.EncodedPath.SequenceCompareTo(right.Current.EncodedPath);
            var cell = order < 0 || (order == 0 && Supersedes(left.Current, right.Current)) ? left.Current : right.Current;
            if (cell.Stamp > born || (cell.Stamp == born && !header.IsLapsed))
            {
                end += WriteCell(output[end..], cell, born, header.Touched);
                count++;
            }
            if (order <= 0)
                hasLeft = left.MoveNext();
            if (order >= 0)
                hasRight = right.MoveNext();
        }
        var merged = new Document(output[..end].ToArray(), header, cellsStart, count);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return merged;
    }

    /// <summary>
    /// Returns the document after its newest put has expired: without the cells of that put. Cells of later updates stay until the document is purged, since
    /// they may belong to a later put that is still unknown.
    /// </summary>
    /// <exception cref="InvalidOperationException">The newest put does not expire.</exception>
    public Document Lapse()
    {
        if (Expires.IsNone)
            throw new InvalidOperationException($"The document does not expire ({this}).");
        if (IsLapsed)
            return this;
        var header = new Header(Born, Touched, Died, Expires, IsLapsed: true);
        return Merge(this, Assemble(header, DocumentContent.Empty));
    }

    /// <summary>
    /// Returns the document with only the cells for which <paramref name="keep"/> returns true, or this instance if that is all of them.
    /// </summary>
    public Document Filter(Predicate keep)
    {
        bool keepsAll = true;
        foreach (var cell in Cells)
            keepsAll &= keep(cell);
        if (keepsAll)
            return this;
        var output = new byte[Encoded.Length];
        Encoded.Span[.._cellsStart].CopyTo(output);
        int end = _cellsStart, count = 0;
        foreach (var cell in Cells)
        {
            if (!keep(cell))
                continue;
            end += WriteCell(output.AsSpan(end), cell, Born, Touched);
            count++;
        }
        return new(output.AsSpan(0, end).ToArray(), View.Header, _cellsStart, count);
    }

    /// <summary>A condition that the cells kept by <see cref="Filter"/> satisfy.</summary>
    public delegate bool Predicate(DocumentCell cell);

    /// <summary>Returns true if a set contains all stamps of the document.</summary>
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

    /// <summary>Finds a cell by its encoded path, including a removed cell.</summary>
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

    /// <summary>Validates an encoded document in full and wraps it without copying. The bytes must not change afterwards.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a document, or are a document in a newer format.</exception>
    public static Document Parse(ReadOnlyMemory<byte> encoded)
    {
        var view = Read(encoded.Span, out int cellCount);
        return new(encoded, view.Header, view.CellsStart, cellCount);
    }

    /// <summary>Returns true if a newer version of the library has encoded a document in a format that this version cannot read.</summary>
    public static bool IsOfNewerFormat(ReadOnlySpan<byte> encoded) => encoded is [> Format, ..];

    internal static DocumentView Read(ReadOnlySpan<byte> encoded, out int cellCount)
    {
        var view = ReadHeader(encoded);
        cellCount = ValidateCells(encoded[view.CellsStart..], view.Born, view.Touched, view.IsLapsed);
        return view;
    }

    /// <summary>Reads the header of a document, without validating its cells.</summary>
    internal static DocumentView ReadHeader(ReadOnlySpan<byte> encoded)
    {
        var rest = encoded;
        var head = EncodedInteger.Take(ref rest, 2);
        if (head[0] != Format)
        {
            throw new InvalidDataException(IsOfNewerFormat(encoded)
                ? $"The document has format {head[0]}, and this version of the library reads format {Format}. A newer version wrote it. Update the library."
                : $"The document has the unknown format {head[0]}. This version of the library reads format {Format}.");
        }
        if (head[1] > (HasBorn | HasTouched | HasDied | HasExpiry | HasLapsed))
            throw new InvalidDataException($"The header of the document has unknown flags ({head[1]:X2}).");
        var born = ReadStamp(ref rest, head[1] & HasBorn);
        var touched = ReadStamp(ref rest, head[1] & HasTouched);
        var died = ReadStamp(ref rest, head[1] & HasDied);
        var expires = ReadStamp(ref rest, head[1] & HasExpiry);
        bool isLapsed = (head[1] & HasLapsed) != 0;
        if ((isLapsed && expires.IsNone) || (!expires.IsNone && born.IsNone))
            throw new InvalidDataException($"The header of the document has an expiry without a put, or has expired without an expiry ({head[1]:X2}).");
        return new(encoded, new Header(born, touched, died, expires, isLapsed), encoded.Length - rest.Length);
    }

    static HlcTimestamp ReadStamp(ref ReadOnlySpan<byte> source, int flag)
    {
        if (flag == 0)
            return HlcTimestamp.None;
        var stamp = HlcTimestamp.Read(EncodedInteger.Take(ref source, HlcTimestamp.Size));
        return stamp.IsNone ? throw new InvalidDataException("A stamp in the header of the document is zero.") : stamp;
    }

    static int ValidateCells(ReadOnlySpan<byte> cells, HlcTimestamp born, HlcTimestamp touched, bool isLapsed)
    {
        // Every read of a document passes through here, so the decoding of DocumentCells.MoveNext is repeated without creating cells.
        var newest = HlcTimestamp.Max(born, touched);
        ReadOnlySpan<byte> previous = default;
        int count = 0;
        while (!cells.IsEmpty)
        {
            var flags = (CellFlags)cells[0];
            cells = cells[1..];
            var path = EncodedInteger.Take(ref cells, EncodedInteger.Read(ref cells));
            var stamp = (flags & CellFlags.StampMask) switch
            {
                CellFlags.StampIsBorn => born,
                CellFlags.StampIsTouched => touched,
                _ => HlcTimestamp.Read(EncodedInteger.Take(ref cells, HlcTimestamp.Size)),
            };
            bool isRemoved = (flags & CellFlags.Removed) != 0;
            var value = isRemoved ? default : EncodedInteger.Take(ref cells, EncodedInteger.Read(ref cells));
            if (!DocumentPath.IsValid(path))
                throw DocumentPath.Invalid(path);
            if (!isRemoved && !path.IsEmpty && path[0] == (byte)DocumentPathKind.CounterShare && !CounterValue.IsValid(value))
                throw new InvalidDataException($"The cell {DocumentPath.Describe(path)} does not hold a counter share.");
            if (count++ > 0 && previous.SequenceCompareTo(path) >= 0)
                throw new InvalidDataException("The cells of the document are not in ascending order.");
            if (stamp.IsNone || stamp < born || stamp > newest || (isLapsed && stamp == born) || flags != FlagsOf(isRemoved, stamp, born, touched))
                throw new InvalidDataException($"The cell {DocumentPath.Describe(path)} has an invalid stamp.");
            previous = path;
        }
        return count;
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
        if (!Expires.IsNone)
            text.Append(CultureInfo.InvariantCulture, $", {(IsLapsed ? "expired" : "expires")} {Expires.Time:u}");
        foreach (var cell in Cells)
            text.Append("; ").Append(cell.ToString());
        return text.ToString();
    }

    ReadOnlyMemory<byte> MemoryOf(ReadOnlySpan<byte> part)
    {
        Encoded.Span.Overlaps(part, out int offset);
        return Encoded.Slice(offset, part.Length);
    }

    /// <summary>
    /// Returns true if the left of two cells with the same path is kept. Equal stamps come from equal writes; the rule covers unequal
    /// cells with equal stamps only in order to be total.
    /// </summary>
    static bool Supersedes(DocumentCell left, DocumentCell right)
    {
        if (left.Stamp != right.Stamp)
            return left.Stamp > right.Stamp;
        return left.IsRemoved != right.IsRemoved ? left.IsRemoved : left.Value.SequenceCompareTo(right.Value) >= 0;
    }

    static Document Assemble(in Header header, DocumentContent content)
    {
        Span<byte> start = stackalloc byte[MaxHeaderSize];
        start = start[..WriteHeader(start, header)];
        var encoded = new byte[start.Length + content.Length];
        start.CopyTo(encoded);
        content.Cells.CopyTo(encoded.AsSpan(start.Length));
        if (!header.Touched.IsNone && content.Count > 0)
        {
            // The content is encoded as the cells of a put. The cells of an update differ only in their flags.
            for (var cells = content.GetEnumerator(); !cells.Rest.IsEmpty; cells.MoveNext())
                encoded[^cells.Rest.Length] ^= (byte)CellFlags.StampMask;
        }
        return new(encoded, header, start.Length, content.Count);
    }

    static int WriteHeader(Span<byte> output, in Header header)
    {
        output[0] = Format;
        output[1] = (byte)((header.Born.IsNone ? 0 : HasBorn) | (header.Touched.IsNone ? 0 : HasTouched) | (header.Died.IsNone ? 0 : HasDied)
            | (header.Expires.IsNone ? 0 : HasExpiry) | (header.IsLapsed ? HasLapsed : 0));
        int size = 2;
        foreach (var stamp in (ReadOnlySpan<HlcTimestamp>)[header.Born, header.Touched, header.Died, header.Expires])
        {
            if (stamp.IsNone)
                continue;
            stamp.Write(output[size..]);
            size += HlcTimestamp.Size;
        }
        return size;
    }

    static CellFlags FlagsOf(bool isRemoved, HlcTimestamp stamp, HlcTimestamp born, HlcTimestamp touched) =>
        (isRemoved ? CellFlags.Removed : CellFlags.None)
        | (stamp == born ? CellFlags.StampIsBorn : stamp == touched ? CellFlags.StampIsTouched : CellFlags.None);

    internal static int MaxSizeOf(DocumentCell cell) =>
        1 + (2 * EncodedInteger.MaxSize) + cell.EncodedPath.Length + HlcTimestamp.Size + cell.Value.Length;

    internal static int WriteCell(Span<byte> output, DocumentCell cell, HlcTimestamp born, HlcTimestamp touched)
    {
        var flags = FlagsOf(cell.IsRemoved, cell.Stamp, born, touched);
        output[0] = (byte)flags;
        int size = 1 + WriteBytes(output[1..], cell.EncodedPath);
        if ((flags & CellFlags.StampMask) == 0)
        {
            cell.Stamp.Write(output[size..]);
            size += HlcTimestamp.Size;
        }
        return cell.IsRemoved ? size : size + WriteBytes(output[size..], cell.Value);
    }

    static int WriteBytes(Span<byte> output, ReadOnlySpan<byte> bytes)
    {
        int size = EncodedInteger.Write(output, (uint)bytes.Length);
        bytes.CopyTo(output[size..]);
        return size + bytes.Length;
    }

    /// <summary>The stamps of a document, and what they say of it.</summary>
    internal readonly record struct Header(HlcTimestamp Born, HlcTimestamp Touched, HlcTimestamp Died, HlcTimestamp Expires = default, bool IsLapsed = false);
}
