using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Transactions;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The next number of a sequence without gaps, which the sequencer assigns when it puts a transaction into the sequence. Numbers begin at 1.
/// </summary>
/// <param name="Sequence">The name of the sequence.</param>
/// <param name="Max">The greatest number that the places can hold.</param>
/// <param name="Places">The places of the transaction that get the number; none if the caller only wants to be told.</param>
sealed record SerialNumber(string Sequence, long Max, IReadOnlyList<NumberPlace> Places)
{
    /// <summary>The reserved keyspace of the last number of each sequence.</summary>
    public const string Keyspace = "datacake.numbers";

    /// <summary>The limit of the numbers of one transaction.</summary>
    public const int MaxNumbers = 100_000;

    /// <summary>Gets the key of the document with the last number.</summary>
    public DocumentKey RecordKey => DocumentKey.Of(Sequence);

    /// <summary>Returns the write of the last number of a sequence.</summary>
    public static SerialOperation RecordOf(string sequence, long last)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, last);
        return new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, Keyspace, DocumentKey.Of(sequence), DocumentContent.OfRaw(value), []));
    }

    /// <summary>Reads the last number of a sequence from its document, which need not exist.</summary>
    public static long LastOf(Document? record) => record?.Value is { Length: sizeof(long) } value ? BinaryPrimitives.ReadInt64LittleEndian(value.Span) : 0;

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Sequence);
        writer.Write(Max);
        writer.WriteArrayHeader(Places.Count);
        foreach (var place in Places)
            place.Write(ref writer);
    }

    /// <summary>Checks the number against the operations of its transaction.</summary>
    /// <exception cref="InvalidDataException">The sequence has no valid name, or a place does not exist or has no room for a number.</exception>
    /// <exception cref="ArgumentException">The name of the sequence is too long.</exception>
    public void Check(IReadOnlyList<SerialOperation> operations)
    {
        if (Sequence.Length == 0)
            throw new InvalidDataException("The name of a sequence of numbers is empty.");
        _ = RecordKey;      // throws if the name is too long
        if (Max < 1)
            throw new InvalidDataException($"The greatest number of the sequence '{Sequence}' is {Max}. Numbers begin at 1.");
        foreach (var place in Places)
            place.Check(operations);
    }

    public static SerialNumber Read(ref MessagePackReader reader)
    {
        string sequence = Record.ReadText(ref reader);
        long max = reader.ReadInt64();
        var places = new NumberPlace[Record.ReadCount(ref reader, MaxNumbers, "places of a number")];
        for (int i = 0; i < places.Length; i++)
            places[i] = NumberPlace.Read(ref reader);
        return new SerialNumber(sequence, max, places);
    }

    /// <summary>Writes numbers. Those that follow each other, as most do, take the space of one.</summary>
    public static void WriteAll(ref MessagePackWriter writer, IReadOnlyList<long> numbers)
    {
        var runs = new List<(long First, int Count)>();
        foreach (long number in numbers)
        {
            if (runs is [.., var last] && last.First + last.Count == number)
                runs[^1] = last with { Count = last.Count + 1 };
            else
                runs.Add((number, 1));
        }
        writer.WriteArrayHeader(runs.Count);
        foreach (var (first, count) in runs)
        {
            writer.Write(first);
            writer.Write(count);
        }
    }

    public static long[] ReadAll(ref MessagePackReader reader)
    {
        var numbers = new List<long>();
        for (int runs = Record.ReadCount(ref reader, MaxNumbers, "runs of numbers"); runs > 0; runs--)
        {
            long first = reader.ReadInt64();
            int count = reader.ReadInt32();
            if (count < 1 || count > MaxNumbers - numbers.Count || first < 1 || first > long.MaxValue - count)
                throw new InvalidDataException($"A run of {count} numbers begins at {first}. A transaction has at most {MaxNumbers} numbers, from 1.");
            for (int i = 0; i < count; i++)
                numbers.Add(first + i);
        }
        return [.. numbers];
    }
}
