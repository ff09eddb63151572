using CsCheck;

namespace Datacake.Crdt.Tests;

/// <summary>Random values from small pools, so that stamps and paths collide often.</summary>
static class Generate
{
    public static readonly Gen<HlcTimestamp> Stamp =
        Gen.Select(Gen.UInt[1, 12], Gen.Byte[1, 3], (time, node) => new HlcTimestamp(time / 4, (byte)(time % 4), 0, node));

    static readonly Gen<string> Property = Gen.OneOf("Name", "Price", "Näme.City", new string('x', 200));

    static readonly Gen<byte[]> Bytes = Gen.Frequency((9, Gen.Byte.Array[0, 4]), (1, Gen.Byte.Array[100, 300]));

    public static readonly Gen<DocumentPath> Path = Gen.OneOf(
        Gen.Const(DocumentPath.Root),
        Gen.Const(DocumentPath.Assertion),
        Property.Select(DocumentPath.OfProperty),
        Gen.Select(Property, Gen.Byte[0, 2].Array[0, 2], (property, element) => DocumentPath.OfElement(property, element)),
        Gen.Select(Property, Stamp, Stamp, DocumentPath.OfCounterShare));

    /// <summary>Cells with distinct paths, in random order; a <see langword="null"/> value is a removal.</summary>
    public static readonly Gen<(DocumentPath Path, byte[]? Value)[]> Cells =
        Gen.Select(Path, Bytes.Null(0.25), (path, value) => (path, ValueOf(path, value))).Array[0, 6]
            .Select(cells => cells.DistinctBy(cell => cell.path).ToArray());

    public static readonly Gen<DocumentContent> Content = Cells.Select(ContentOf);

    /// <summary>The effect of one transaction on a document.</summary>
    public static readonly Gen<Document> Delta = Gen.Frequency(
        (3, Gen.Select(Stamp, Content, Document.Put)),
        (1, Gen.Select(Stamp, Content, Stamp, Document.Put)),
        (1, Gen.Select(Stamp, Content, Stamp, (stamp, content, expires) => Document.Put(stamp, content, expires).Lapse())),
        (5, Gen.Select(Stamp, Content, Document.Update)),
        (2, Stamp.Select(Document.Delete)));

    /// <summary>The merge of some transactions, with or without its removed cells purged.</summary>
    public static readonly Gen<Document> AnyDocument = Gen.Select(Delta.Array[0, 5], Gen.Bool, (deltas, isPurged) =>
    {
        var document = deltas.Aggregate(Document.Nothing, Document.Merge);
        return isPurged ? document.Filter(cell => !cell.IsRemoved) : document;
    });

    /// <summary>Returns a value that is valid at a path: shares of counters are numbers.</summary>
    public static byte[]? ValueOf(DocumentPath path, byte[]? value)
    {
        if (value is null || path.Kind != DocumentPathKind.CounterShare)
            return value;
        if (value.Length % 2 == 1)
            return new BoundedShare((ulong)value.Length, value[0], Minimum: 0, Maximum: null, [new RightsGift(new HlcTimestamp(1, 0, 0, 1), value[0], Down: 1, Up: 0)]).Encode();
        byte[] share = new byte[CounterValue.Size];
        CounterValue.Write(share, value.Length);
        return share;
    }

    public static DocumentContent ContentOf((DocumentPath Path, byte[]? Value)[] cells)
    {
        var builder = new DocumentContentBuilder();
        foreach (var (path, value) in cells)
        {
            if (value is null)
                builder.Remove(path.Encoded.Span);
            else
                builder.Set(path.Encoded.Span, value);
        }
        return builder.Build();
    }

    /// <summary>Returns valid bytes of which a few are overwritten, inserted, removed or cut off.</summary>
    public static Gen<byte[]> Damaged(Gen<byte[]> valid) =>
        Gen.Select(valid, Gen.Select(Gen.Int[0, 3], Gen.Int[0, 10_000], Gen.Byte).Array[1, 3], (bytes, damages) =>
        {
            var damaged = bytes.ToList();
            foreach (var (kind, position, value) in damages)
            {
                int at = position % (damaged.Count + 1);
                if (kind == 0)
                    damaged.Insert(at, value);
                else if (kind == 1 && at < damaged.Count)
                    damaged.RemoveAt(at);
                else if (kind == 2)
                    damaged.RemoveRange(at, damaged.Count - at);
                else if (at < damaged.Count)
                    damaged[at] = value;
            }
            return damaged.ToArray();
        });
}
