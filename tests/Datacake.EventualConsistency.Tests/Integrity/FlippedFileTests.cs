using System.Diagnostics;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Layout;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Integrity;

/// <summary>Store files with flipped bits and lost pages. Each read returns the data that was written or fails. DATACAKE_FLIPS sets the number of repetitions.</summary>
public sealed class FlippedFileTests : IDisposable
{
    const int Records = 1_000;
    static readonly Dictionary<StorageKey, int> Numbers = Enumerable.Range(0, Records).ToDictionary(number => new StorageKey(KeyOf(number)));
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    readonly string _folder = Directory.CreateTempSubdirectory("flips-").FullName;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Flipped_bits_and_lost_pages_of_a_file_are_never_returned_as_data(string provider)
    {
        string sound = Path.Combine(_folder, "sound"), flipped = Path.Combine(_folder, "flipped");
        await using (var storage = new ChecksummedStorage(Open(provider, sound), new DamageLog()))
            await FillAsync(storage);
        var random = new Random(7);
        byte[] bytes = await File.ReadAllBytesAsync(sound, Canceled);
        int refused = 0, harmless = 0, lost = 0;
        for (int i = 0; i < FileDamage.Count(1_000); i++)
        {
            var (changed, what) = FileDamage.Make(bytes, random);
            foreach (string old in Directory.GetFiles(_folder, "flipped*"))
                File.Delete(old);
            await File.WriteAllBytesAsync(flipped, changed, Canceled);
            long started = Stopwatch.GetTimestamp();
            try
            {
                int found = await ReadAsync(Open(provider, flipped));
                harmless += found == Records ? 1 : 0;
                lost += found == Records ? 0 : 1;
            }
            catch (StorageException)
            {
                refused++;
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < Longest, $"Reading took more than {Longest} after {what}.");
        }
        TestContext.Current.SendDiagnosticMessage("{0} refused, {1} without effect, {2} with records missing.", refused, harmless, lost);
        Assert.True(refused > 0);
    }

    static IDurableStorage Open(string provider, string path) => provider == "SQLite" ? new SqliteStorage(path) : new LmdbStorage(path);

    static async Task FillAsync(ChecksummedStorage storage)
    {
        for (int first = 0; first < Records; first += 100)
        {
            var batch = new WriteBatch();
            for (int key = first; key < first + 100; key++)
                batch.Put(KeyOf(key), ValueOf(key));
            await storage.CommitAsync(batch, Datacake.Storage.Durability.Flushed, Canceled);
        }
    }

    /// <summary>Reads everything in three ways and checks it. Returns the number of records that a scan shows.</summary>
    static async Task<int> ReadAsync(IDurableStorage file)
    {
        await using var storage = new ChecksummedStorage(file, new DamageLog());
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        int found = 0;
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllDocuments, Canceled))
        {
            Assert.True(value.Span.SequenceEqual(ValueOf(NumberOf(key))), "A scan shows other data.");
            found++;
        }
        using var page = new EntryPage();
        await snapshot.GetManyAsync([.. Enumerable.Range(0, Records).Select(number => (ReadOnlyMemory<byte>)KeyOf(number))], page, Canceled);
        for (int entry = 0; entry < page.Count; entry++)
            Assert.True(page.ValueOf(entry).SequenceEqual(ValueOf(NumberOf(page.KeyOf(entry).ToArray()))), "A read of several shows other data.");
        for (int number = 0; number < Records; number += 7)
        {
            if (await snapshot.GetAsync(KeyOf(number), Canceled) is { } value)
                Assert.True(value.Span.SequenceEqual(ValueOf(number)), "A read shows other data.");
        }
        return found;
    }

    static byte[] KeyOf(int number) => StoreLayout.DocumentKey(1, DocumentKey.Of(number).Encoded.Span);

    static int NumberOf(ReadOnlyMemory<byte> key) => Numbers[new StorageKey(key)];

    static byte[] ValueOf(int number)
    {
        byte[] value = new byte[20 + (number % 200)];
        new Random(number).NextBytes(value);
        return value;
    }
}
