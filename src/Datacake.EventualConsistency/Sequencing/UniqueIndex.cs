using System.IO.Hashing;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// A unique index of a serial keyspace: no two documents have the same values in its columns. It is data, so that a sequencer whose application is of another
/// version enforces it, too. Once a transaction has brought it, it is kept in a reserved keyspace and enforced for all transactions, until its record is deleted.
/// </summary>
sealed class UniqueIndex
{
    /// <summary>The reserved keyspace of the records of unique indexes.</summary>
    public const string RecordKeyspace = "datacake.unique";

    /// <summary>The limit of the unique indexes that one transaction names.</summary>
    public const int MaxIndexes = 1_000;

    /// <summary>The beginning of the names of the store's indexes for unique indexes.</summary>
    const string Prefix = "datacake.unique:";

    const int MaxNameLength = 200;
    const int MaxColumns = 32;
    const int MaxFilterValues = 1_000;

    /// <summary>The maximum length of a value as it is; of a longer one, the index has the hash.</summary>
    const int MaxLength = 160;

    const byte WholeTag = 0, HashTag = 1;

    DocumentIndex? _stored;

    /// <summary>Creates a unique index.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="name">The name, for the errors of those who violate the index.</param>
    /// <param name="columns">The columns.</param>
    public UniqueIndex(string keyspace, string name, IReadOnlyList<UniqueColumn> columns)
    {
        (Keyspace, Name, Columns) = (keyspace, name, columns);
    }

    /// <summary>Gets the keyspace.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the name.</summary>
    public string Name { get; }

    /// <summary>Gets the columns. Documents of which one is null are exempt.</summary>
    public IReadOnlyList<UniqueColumn> Columns { get; }

    /// <summary>Gets the encoded path of a cell that a document must have, with one of <see cref="FilterValues"/>, to be in the index; empty if all documents are.</summary>
    public ReadOnlyMemory<byte> FilterPath { get; init; }

    /// <summary>Gets the values, as MessagePack, of which the cell at <see cref="FilterPath"/> must have one.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> FilterValues { get; init; } = [];

    /// <summary>Gets the store's index of the values.</summary>
    public DocumentIndex Stored => _stored ??= new DocumentIndex(Prefix + Name + ":" + Hash.ToString("x32", null), "1", Extract);

    /// <summary>
    /// Gets the key of the record. It has the hash of the definition, so that two versions of an application that disagree have two indexes, and both are enforced.
    /// </summary>
    public DocumentKey RecordKey
    {
        get
        {
            var writer = new OrderedKeyWriter();
            writer.Write((ulong)(Hash >> 64));
            writer.Write((ulong)Hash);
            return new DocumentKey(writer.ToArray());
        }
    }

    /// <summary>Gets the content of the record.</summary>
    public DocumentContent RecordContent => DocumentContent.OfRaw(Encode());

    /// <summary>True if the name is that of a store's index for a unique index.</summary>
    public static bool IsStored(string index) => index.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Reads the record of a unique index.</summary>
    /// <exception cref="InvalidDataException">The record is damaged.</exception>
    public static UniqueIndex Decode(ReadOnlyMemory<byte> record) => Record.Decode(record, "the record of a unique index", static (ref reader) => Read(ref reader));

    /// <summary>Returns the value of a document, as the index has it; null if the document is exempt.</summary>
    public byte[]? ValueOf(DocumentKey key, Document document)
    {
        var values = new IndexValues();
        return new IndexEntrySet(0, Stored).ValuesOf(key.Encoded.Span, document, values) is [var value] ? value : null;
    }

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Keyspace);
        writer.Write(Name);
        writer.WriteArrayHeader(Columns.Count);
        foreach (var column in Columns)
            column.Write(ref writer);
        writer.Write(FilterPath.Span);
        writer.WriteArrayHeader(FilterValues.Count);
        foreach (var value in FilterValues)
            writer.Write(value.Span);
    }

    public static UniqueIndex Read(ref MessagePackReader reader)
    {
        string keyspace = Record.ReadText(ref reader);
        KeyspaceCatalog.CheckName(keyspace);
        string name = Record.ReadText(ref reader);
        if (name.Length is 0 or > MaxNameLength)
            throw new InvalidDataException($"The name of a unique index has {name.Length} characters. A name has 1 to {MaxNameLength} characters.");
        var columns = new UniqueColumn[Record.ReadCount(ref reader, MaxColumns, "columns of a unique index")];
        if (columns.Length == 0)
            throw new InvalidDataException($"The unique index '{name}' has no columns.");
        for (int i = 0; i < columns.Length; i++)
            columns[i] = UniqueColumn.Read(ref reader);
        var filter = new DocumentPath(Record.ReadBytes(ref reader)).Encoded;
        var values = new ReadOnlyMemory<byte>[Record.ReadCount(ref reader, MaxFilterValues, "values of a filter")];
        for (int i = 0; i < values.Length; i++)
            values[i] = Record.ReadBytes(ref reader);
        return new UniqueIndex(keyspace, name, columns) { FilterPath = filter, FilterValues = values };
    }

    UInt128 Hash => XxHash128.HashToUInt128(Encode());

    byte[] Encode() => Record.Encode(this, static (ref writer, index) => index.Write(ref writer));

    void Extract(Document document, IndexValues values)
    {
        if (!IsInFilter(document))
            return;
        var output = new OrderedKeyWriter();
        foreach (var column in Columns)
        {
            if (!column.TryWrite(values.Key, document, output))
                return;
        }
        bool isWhole = output.Length <= MaxLength;
        values.Writer.Append(isWhole ? WholeTag : HashTag);
        values.Writer.WriteRaw(isWhole ? output.Written : XxHash128.Hash(output.Written));
        values.Add();
    }

    bool IsInFilter(Document document)
    {
        if (FilterPath.IsEmpty)
            return true;
        if (!document.TryGetCell(FilterPath.Span, out var cell) || !cell.IsShown(document.Born))
            return false;
        foreach (var value in FilterValues)
        {
            if (cell.Value.SequenceEqual(value.Span))
                return true;
        }
        return false;
    }
}
