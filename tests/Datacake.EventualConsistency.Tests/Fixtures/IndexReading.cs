using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

static class IndexReading
{
    /// <summary>Returns the keys of all entries of an index from a range of values, in their order.</summary>
    public static async Task<IReadOnlyList<DocumentKey>> ReadIndexAsync(
        this StoreSnapshot snapshot, string keyspace, string index, KeyRange values, ScanDirection direction = ScanDirection.Forward)
    {
        var keys = new List<DocumentKey>();
        using var page = new IndexPage();
        while (true)
        {
            var last = await snapshot.ScanIndexAsync(keyspace, index, values, direction, 1_000, page, TestContext.Current.CancellationToken);
            if (page.Count == 0)
                return keys;
            for (int i = 0; i < page.Count; i++)
                keys.Add(new DocumentKey(page.KeyOf(i).ToArray()));
            values = direction == ScanDirection.Forward ? values.After(last) : values.Before(last);
        }
    }
}
