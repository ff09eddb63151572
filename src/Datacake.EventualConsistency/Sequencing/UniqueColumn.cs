using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A column of a unique index: a part of the key, or the value of a cell.</summary>
sealed record UniqueColumn
{
    const int MaxKeyParts = 16;
    const int MaxDefaultLength = 4_096;
    const int MaxOwners = 32;

    UniqueColumn()
    {
    }

    /// <summary>Gets the number of the key's part, from 0; -1 if the column is a cell.</summary>
    public int KeyPart { get; private init; } = -1;

    /// <summary>Gets the encoded path of the cell.</summary>
    public ReadOnlyMemory<byte> Path { get; private init; }

    /// <summary>Gets the value, as MessagePack, of documents without the cell; empty for null.</summary>
    public ReadOnlyMemory<byte> Default { get; private init; }

    /// <summary>True if a cell with nil is null; false if it has the default, too.</summary>
    public bool IsNullable { get; private init; }

    /// <summary>Gets the encoded paths of the objects that contain the cell: the column is null if one of them is missing or nil.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Owners { get; private init; } = [];

    /// <summary>Returns the column of a part of the key.</summary>
    /// <param name="part">The number of the part, from 0.</param>
    public static UniqueColumn OfKey(int part) => new() { KeyPart = part };

    /// <summary>Returns the column of a cell.</summary>
    /// <param name="path">The encoded path of the cell.</param>
    /// <param name="isNullable">True if nil is null; false if it stands for the default.</param>
    /// <param name="default">The value, as MessagePack, of documents without the cell; empty for null.</param>
    /// <param name="owners">The encoded paths of the objects that contain the cell.</param>
    public static UniqueColumn OfCell(ReadOnlyMemory<byte> path, bool isNullable, ReadOnlyMemory<byte> @default, IReadOnlyList<ReadOnlyMemory<byte>> owners) =>
        new() { Path = path, IsNullable = isNullable, Default = @default, Owners = owners };

    /// <summary>Writes the value of a document. Returns false if it is null, so that the document is exempt.</summary>
    public bool TryWrite(ReadOnlySpan<byte> key, Document document, OrderedKeyWriter output)
    {
        if (KeyPart >= 0)
        {
            output.WriteRaw(PartOf(key));
            return true;
        }
        foreach (var owner in Owners)
        {
            if (!TryGet(document, owner.Span, out var marker) || IsNil(marker))
                return false;
        }
        var value = TryGet(document, Path.Span, out var cell) && (IsNullable || !IsNil(cell)) ? cell : Default.Span;
        return UniqueValue.TryWrite(value, output);
    }

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(KeyPart);
        if (KeyPart >= 0)
            return;
        writer.Write(Path.Span);
        writer.Write(IsNullable);
        writer.Write(Default.Span);
        writer.WriteArrayHeader(Owners.Count);
        foreach (var owner in Owners)
            writer.Write(owner.Span);
    }

    public static UniqueColumn Read(ref MessagePackReader reader)
    {
        int part = reader.ReadInt32();
        if (part is < -1 or >= MaxKeyParts)
            throw new InvalidDataException($"A unique index has a column of the part {part} of a key. The limit is {MaxKeyParts}.");
        if (part >= 0)
            return OfKey(part);
        var path = ReadPath(ref reader);
        bool isNullable = reader.ReadBoolean();
        var @default = Record.ReadBytes(ref reader);
        if (@default.Length > MaxDefaultLength)
            throw new InvalidDataException($"The default of a column of a unique index has {@default.Length} bytes. The limit is {MaxDefaultLength} bytes.");
        var owners = new ReadOnlyMemory<byte>[Record.ReadCount(ref reader, MaxOwners, "objects that contain a column")];
        for (int i = 0; i < owners.Length; i++)
            owners[i] = ReadPath(ref reader);
        return OfCell(path, isNullable, @default, owners);
    }

    static ReadOnlyMemory<byte> ReadPath(ref MessagePackReader reader) => new DocumentPath(Record.ReadBytes(ref reader)).Encoded;

    static bool TryGet(Document document, ReadOnlySpan<byte> path, out ReadOnlySpan<byte> value)
    {
        bool isFound = document.TryGetCell(path, out var cell) && cell.IsShown(document.Born);
        value = isFound ? cell.Value : default;
        return isFound;
    }

    static bool IsNil(ReadOnlySpan<byte> value) => value is [MessagePackCode.Nil];

    /// <summary>Returns the part of a key, or the whole key if it has no such part.</summary>
    ReadOnlySpan<byte> PartOf(ReadOnlySpan<byte> key)
    {
        try
        {
            var reader = new OrderedKeyReader(key);
            for (int i = 0; i < KeyPart; i++)
                reader.ReadEncoded();
            return reader.ReadEncoded();
        }
        catch (InvalidDataException)
        {
            return key;
        }
    }
}
