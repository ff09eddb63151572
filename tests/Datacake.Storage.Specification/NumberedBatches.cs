using System.Buffers.Binary;

namespace Datacake.Storage.Specification;

/// <summary>
/// Batches whose number determines their operations. Each batch writes its number under one key and some entries of its own, and removes the entries
/// of the batch ten before it. So the contents of a store tell whether all batches up to one were applied, each as a whole.
/// </summary>
static class NumberedBatches
{
    const int Kept = 10;

    static readonly byte[] LastKey = "last"u8.ToArray();

    public static WriteBatch Create(int number)
    {
        var batch = new WriteBatch();
        foreach ((byte[] key, byte[] value) in EntriesOf(number))
            batch.Put(key, value);
        foreach ((byte[] key, _) in EntriesOf(number - Kept))
            batch.Delete(key);
        batch.Put(LastKey, Number(number));
        return batch;
    }

    public static Durability DurabilityOf(int number) => number % 5 == 0 ? Durability.Flushed : Durability.Buffered;

    /// <summary>Returns the number of the last batch in a store, or 0.</summary>
    public static async Task<int> LastAsync(IStorage storage)
    {
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync();
        return await snapshot.GetAsync(LastKey) is { } last ? BinaryPrimitives.ReadInt32BigEndian(last.Span) : 0;
    }

    /// <summary>Asserts that the store contains exactly the results of the batches up to the last one.</summary>
    public static async Task CheckAsync(IStorage storage, int last)
    {
        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int number = Math.Max(1, last - Kept + 1); number <= last; number++)
        {
            foreach ((byte[] key, byte[] value) in EntriesOf(number))
                expected.Add(Convert.ToHexString(key), Convert.ToHexString(value));
        }
        if (last > 0)
            expected.Add(Convert.ToHexString(LastKey), Convert.ToHexString(Number(last)));

        var actual = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync();
        KeyRange range = KeyRange.All;
        while (await snapshot.ScanAsync(range, ScanDirection.Forward, 100) is { Count: > 0 } page)
        {
            foreach (StorageEntry entry in page)
                actual.Add(Convert.ToHexString(entry.Key.Span), Convert.ToHexString(entry.Value.Span));
            range = range.After(page[^1].Key);
        }
        Assert.Equal(expected, actual);
    }

    /// <summary>Returns a few entries, some of them larger than a page of a file.</summary>
    static IEnumerable<(byte[] Key, byte[] Value)> EntriesOf(int number)
    {
        if (number <= 0)
            yield break;
        int count = 1 + number * 7 % 20;
        for (int i = 0; i < count; i++)
        {
            byte[] key = new byte[8];
            // Spread over the key space, so that a batch touches many pages.
            BinaryPrimitives.WriteInt32BigEndian(key, (number + i) * 1_640_531_527);
            BinaryPrimitives.WriteInt16BigEndian(key.AsSpan(4), (short)number);
            BinaryPrimitives.WriteInt16BigEndian(key.AsSpan(6), (short)i);
            byte[] value = new byte[number * (i + 1) % 997 * (i % 5 == 0 ? 10 : 1)];
            value.AsSpan().Fill((byte)(number + i));
            yield return (key, value);
        }
    }

    static byte[] Number(int number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }
}
