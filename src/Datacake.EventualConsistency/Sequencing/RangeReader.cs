using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// Reads the live documents of a range as they are once the batch is committed and the entries that wait are applied. It reads no more of the storage than the
/// range, and ends early at its limit.
/// </summary>
/// <param name="batch">The batch.</param>
/// <param name="writes">The writes that wait.</param>
/// <param name="limit">The limit.</param>
sealed class RangeReader(ReplicaBatch batch, WaitingWrites writes, ReadLimit limit)
{
    const int MaxPage = 200;

    /// <summary>Returns the documents of a range, in ascending order of their positions.</summary>
    /// <param name="name">The name of the keyspace.</param>
    /// <param name="keyspace">The keyspace; null if the store does not have it.</param>
    /// <param name="index">The index, which is built; null for a range of keys.</param>
    /// <param name="range">The range of encoded keys, or of positions in the index.</param>
    /// <param name="expected">The number of documents that the caller expects.</param>
    public async IAsyncEnumerable<RangePosition> ReadAsync(string name, KeyspaceEntry? keyspace, IndexEntrySet? index, KeyRange range, int expected)
    {
        var (above, changed) = Changes(name, keyspace, index, range);
        int next = 0;
        if (keyspace is not null && !batch.IsWiped && !range.IsEmpty)
        {
            using var page = new EntryPage();
            int prefix = index is null ? StoreLayout.DocumentPrefixLength : StoreLayout.IndexEntryPrefixLength;
            var rest = StoreLayout.Within(index is null ? StoreLayout.Documents(keyspace.Number) : StoreLayout.IndexEntries(index.Number), range);
            while (true)
            {
                int size = Math.Min(Math.Min(Math.Max(expected, 0) + 1, MaxPage), limit.Rest + 1);
                await batch.Snapshot.ScanAsync(rest, ScanDirection.Forward, size, page).ConfigureAwait(false);
                if (page.Count == 0)
                    break;
                rest = rest.After(page.KeyOf(page.Count - 1).ToArray());
                for (int i = 0; i < page.Count; i++)
                {
                    byte[] stored = page.KeyOf(i).ToArray();
                    var position = stored.AsMemory(prefix);
                    var key = new DocumentKey(index is null ? position : position[^page.ValueOf(i)[0]..]);
                    for (; next < above.Count && above[next].Position.Span.SequenceCompareTo(position.Span) < 0; next++)
                    {
                        if (!limit.TryRead(above[next].Document.Encoded.Length))
                            yield break;
                        yield return above[next];
                    }
                    bool isChanged = changed.Contains(key) || writes.Find(name, key) is not null;
                    var document = isChanged ? Document.Nothing
                        : index is null ? DocumentRecord.Parse(stored, page.ValueOf(i))
                        : await batch.PeekAsync(StoreLayout.DocumentKey(keyspace.Number, key.Encoded.Span)).ConfigureAwait(false);
                    if (!limit.TryRead(document.Encoded.Length))
                        yield break;
                    if (document.IsAlive(keyspace.Policy))
                        yield return new RangePosition(position, key, document);
                }
            }
        }
        for (; next < above.Count; next++)
        {
            if (!limit.TryRead(above[next].Document.Encoded.Length))
                yield break;
            yield return above[next];
        }
    }

    /// <summary>
    /// Returns the documents of a range that waiting entries or the batch have written, in ascending order, and the keys of all documents that the batch has
    /// changed. Batches seldom change serial documents: only the effects of earlier sequencers arrive in that way.
    /// </summary>
    (IReadOnlyList<RangePosition> Within, IReadOnlySet<DocumentKey> Changed) Changes(string name, KeyspaceEntry? keyspace, IndexEntrySet? index, KeyRange range)
    {
        var within = writes.Within(name, index, range);
        var changed = new HashSet<DocumentKey>();
        if (keyspace is null || !batch.HasChanged(keyspace))
            return ([.. within], changed);
        var inBatch = new RangeOrder(index);
        foreach (var (storageKey, before, after) in batch.Documents)
        {
            if (StoreLayout.KeyspaceOf(storageKey.Span) != keyspace.Number || ReferenceEquals(before, after))
                continue;
            var key = new DocumentKey(storageKey[StoreLayout.DocumentPrefixLength..].ToArray());
            changed.Add(key);
            if (writes.Find(name, key) is null)
                inBatch.Put(key, after.IsAlive(keyspace.Policy) ? after : null);
        }
        return ([.. within.Concat(inBatch.Within(range)).OrderBy(static found => found.Position, ByBytes)], changed);
    }

    static readonly Comparer<ReadOnlyMemory<byte>> ByBytes = Comparer<ReadOnlyMemory<byte>>.Create(static (a, b) => a.Span.SequenceCompareTo(b.Span));
}
