using System.Text;
using Datacake.Storage;

namespace Datacake.PostgreSql.Tests;

/// <summary>Short forms for entries of text.</summary>
static class Entries
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task PutAsync(this IStorage storage, string key, string value, Durability durability = Durability.Flushed)
    {
        var batch = new WriteBatch();
        batch.Put(Bytes(key), Bytes(value));
        await storage.CommitAsync(batch, durability, Cancellation);
    }

    public static async Task<string?> GetAsync(this IStorage storage, string key)
    {
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        return await snapshot.GetAsync(Bytes(key), Cancellation) is { } value ? Encoding.UTF8.GetString(value.Span) : null;
    }

    /// <summary>Returns the keys, in their order.</summary>
    public static async Task<List<string>> KeysAsync(this IStorage storage)
    {
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        var keys = new List<string>();
        KeyRange range = KeyRange.All;
        while (await snapshot.ScanAsync(range, ScanDirection.Forward, 1000, Cancellation) is { Count: > 0 } page)
        {
            keys.AddRange(page.Select(entry => Encoding.UTF8.GetString(entry.Key.Span)));
            range = range.After(page[^1].Key);
        }
        return keys;
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
