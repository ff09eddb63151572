using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Transactions;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A place of a transaction that gets a number: an integer within the key of an operation, or the value of a cell.</summary>
sealed record NumberPlace
{
    /// <summary>The length of an integer within an encoded key.</summary>
    const int KeyLength = 1 + sizeof(long);

    NumberPlace()
    {
    }

    /// <summary>Gets the index of the operation.</summary>
    public int Operation { get; private init; }

    /// <summary>Gets the position of the integer in the encoded key; -1 if the place is a cell.</summary>
    public int Offset { get; private init; } = -1;

    /// <summary>Gets the encoded path of the cell.</summary>
    public ReadOnlyMemory<byte> Path { get; private init; }

    /// <summary>Returns the place of a part of the key, which is the integer 0 until it gets the number.</summary>
    /// <param name="operation">The index of the operation.</param>
    /// <param name="key">The key of the operation.</param>
    /// <param name="part">The number of the part, from 0.</param>
    /// <exception cref="InvalidDataException">The key has no such part.</exception>
    public static NumberPlace OfKey(int operation, DocumentKey key, int part)
    {
        var reader = new OrderedKeyReader(key.Encoded.Span);
        int offset = 0;
        for (; part > 0; part--)
            offset += reader.ReadEncoded().Length;
        return new NumberPlace { Operation = operation, Offset = offset };
    }

    /// <summary>Returns the place of a cell, which the content of the operation has with any value until it gets the number.</summary>
    /// <param name="operation">The index of the operation.</param>
    /// <param name="path">The encoded path of the cell.</param>
    public static NumberPlace OfCell(int operation, ReadOnlyMemory<byte> path) => new() { Operation = operation, Path = path };

    /// <summary>Checks that the operations have the place.</summary>
    /// <exception cref="InvalidDataException">They do not.</exception>
    public void Check(IReadOnlyList<SerialOperation> operations)
    {
        if ((uint)Operation >= (uint)operations.Count || operations[Operation].Operation.Kind == DocumentOperationKind.Delete)
            throw new InvalidDataException($"A number has a place in the operation {Operation}, which is not a write of the transaction.");
        var (_, operation) = operations[Operation];
        if (Offset >= 0)
        {
            if (Offset > operation.Key.Encoded.Length - KeyLength || !operation.Key.Encoded.Span.Slice(Offset, KeyLength).SequenceEqual(DocumentKey.Of(0).Encoded.Span))
                throw new InvalidDataException($"A number has a place in the key {operation.Key}, which is not the integer 0 there.");
            return;
        }
        foreach (var cell in operation.Content)
        {
            if (!cell.IsRemoved && cell.EncodedPath.SequenceEqual(Path.Span))
                return;
        }
        throw new InvalidDataException($"A number has a place in the cell {new DocumentPath(Path)} of the document {operation.Key}, which is not written.");
    }

    /// <summary>Returns the operation with the number in the place.</summary>
    public SerialOperation Fill(SerialOperation operation, long number)
    {
        var (_, old) = operation;
        if (Offset >= 0)
        {
            byte[] key = old.Key.Encoded.ToArray();
            DocumentKey.Of(number).Encoded.Span.CopyTo(key.AsSpan(Offset));
            return operation with { Operation = new DocumentOperation(old.Kind, old.Keyspace, new DocumentKey(key), old.Content, old.Counters) };
        }
        byte[] value = Record.Encode((ulong)number, static (ref writer, number) => writer.Write(number));
        var content = new DocumentContentBuilder(old.Content.Length + KeyLength);
        foreach (var cell in old.Content)
        {
            if (cell.IsRemoved)
                content.Remove(cell.EncodedPath);
            else
                content.Set(cell.EncodedPath, cell.EncodedPath.SequenceEqual(Path.Span) ? value : cell.Value);
        }
        return operation with { Operation = new DocumentOperation(old.Kind, old.Keyspace, old.Key, content.Build(), old.Counters) };
    }

    /// <summary>Returns the beginning of a key up to, and with, the tag of the integer: keys that have a number in the place begin with it.</summary>
    public ReadOnlyMemory<byte> PrefixOf(DocumentKey key) => key.Encoded[..(Offset + 1)];

    /// <summary>Returns the number in the place of a key that begins with <see cref="PrefixOf"/>.</summary>
    public long NumberIn(ReadOnlySpan<byte> key) =>
        key.Length >= Offset + KeyLength ? BinaryPrimitives.ReadInt64BigEndian(key[(Offset + 1)..]) ^ long.MinValue : 0;

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Operation);
        writer.Write(Offset);
        if (Offset < 0)
            writer.Write(Path.Span);
    }

    public static NumberPlace Read(ref MessagePackReader reader)
    {
        int operation = reader.ReadInt32(), offset = reader.ReadInt32();
        return offset >= 0
            ? new NumberPlace { Operation = operation, Offset = offset }
            : OfCell(operation, new DocumentPath(Record.ReadBytes(ref reader)).Encoded);
    }
}
