using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Caching;

/// <summary>The documents that a cache returns to each snapshot, and the memory that it takes.</summary>
public sealed class DocumentCacheTests
{
    const long Capacity = 16 * 1024;

    readonly DocumentCache _cache = new(Capacity);

    [Fact]
    public void Document_that_one_snapshot_has_read_is_cached_for_the_others()
    {
        long first = _cache.Now;
        Read(Key(1), Version(1), first);
        Assert.Equal(Version(1), _cache.Find(Key(1), first)?.Document);
        Assert.Null(_cache.Find(Key(2), first));

        Commit(Put(Key(3), Version(1)));
        Assert.Equal(Version(1), _cache.Find(Key(1), first)?.Document);
        Assert.Equal(Version(1), _cache.Find(Key(1), _cache.Now)?.Document);
    }

    [Fact]
    public void Documents_stay_cached_and_keep_their_commits_while_the_cache_grows()
    {
        var cache = new DocumentCache(4 * 1024 * 1024);
        long before = cache.Now;
        long commit = cache.Begin(Put(Key(1), Version(2)));
        cache.Complete(commit);
        for (int key = 2; key <= 3_000; key++)
            cache.Add(Key(key), Version(1), cache.Now);
        cache.Add(Key(1), Version(1), before);

        Assert.InRange(Enumerable.Range(2, 2_999).Count(key => cache.Find(Key(key), cache.Now) is not null), 2_500, 2_999);
        Assert.Null(cache.Find(Key(1), cache.Now));
        cache.Clear();
        Assert.Equal(0, cache.Length);
    }

    [Fact]
    public void Document_is_not_served_while_it_is_being_committed()
    {
        Read(Key(1), Version(1), _cache.Now);
        long before = _cache.Now;
        long commit = _cache.Begin(Put(Key(1), Version(2)));

        // The storage may show either version now, so nobody can know which version a snapshot reads.
        Assert.Null(_cache.Find(Key(1), before));
        Assert.False(_cache.Wants(Key(1), Version(1).Encoded.Length, before));
        _cache.Add(Key(1), Version(1), before);
        Assert.Null(_cache.Find(Key(1), before));

        _cache.Complete(commit);
        Assert.Null(_cache.Find(Key(1), before));
        Assert.NotEqual(Version(1), _cache.Find(Key(1), _cache.Now)?.Document);
    }

    [Fact]
    public void Outdated_document_that_a_slow_reader_adds_is_not_served()
    {
        long before = _cache.Now;
        Assert.True(_cache.Wants(Key(1), Version(1).Encoded.Length, before));
        Commit(Put(Key(1), Version(2)));
        _cache.Add(Key(1), Version(1), before);
        Assert.Null(_cache.Find(Key(1), _cache.Now));
        Assert.Null(_cache.Find(Key(1), before));
    }

    [Fact]
    public void Committed_documents_replace_the_cached_ones_for_newer_snapshots()
    {
        long before = _cache.Now;
        Read(Key(1), Version(1), before);
        Read(Key(2), Version(1), before);

        Commit(Put(Key(1), Version(2)), Put(Key(2), Version(2)), Put(Key(3), Version(2)));

        Assert.Equal(Version(2), _cache.Find(Key(1), _cache.Now)?.Document);
        Assert.Equal(Version(2), _cache.Find(Key(2), _cache.Now)?.Document);
        Assert.Null(_cache.Find(Key(3), _cache.Now));
        Assert.Null(_cache.Find(Key(1), before));
    }

    [Fact]
    public void Last_of_several_operations_on_a_document_wins()
    {
        Read(Key(1), Version(1), _cache.Now);
        Read(Key(2), Version(1), _cache.Now);
        Commit(Put(Key(1), Version(2)), Delete(Key(1)), Put(Key(1), Version(3)), Put(Key(2), Version(2)), Delete(Key(2)));
        Assert.Equal(Version(3), _cache.Find(Key(1), _cache.Now)?.Document);
        Assert.Null(_cache.Find(Key(2), _cache.Now));
    }

    [Fact]
    public void Documents_of_a_failed_commit_are_not_served_whether_or_not_they_were_stored()
    {
        Read(Key(1), Version(1), _cache.Now);
        long before = _cache.Now;
        _cache.Begin(Put(Key(1), Version(2)));

        Commit(Put(Key(9), Version(1)));

        Assert.Null(_cache.Find(Key(1), before));
        Assert.Null(_cache.Find(Key(1), _cache.Now));
        Assert.False(_cache.Wants(Key(1), Version(1).Encoded.Length, before));
    }

    [Fact]
    public void Cache_takes_no_more_memory_than_its_capacity()
    {
        for (int i = 0; i < 1_000; i++)
        {
            _cache.Add(Key(i), Version(1), _cache.Now);
            Assert.InRange(_cache.Length, 1, Capacity);
        }
        Assert.InRange(_cache.Length, Capacity / 2, Capacity);
        for (int i = 0; i < 1_000; i++)
            Commit(Delete(Key(i)));
        Assert.Equal(0, _cache.Length);
    }

    [Fact]
    public void Document_that_would_evict_many_others_is_not_cached()
    {
        Assert.True(_cache.Wants(Key(1), (int)Capacity / 256, _cache.Now));
        Assert.False(_cache.Wants(Key(1), ((int)Capacity / 256) + 1, _cache.Now));
        Read(Key(1), Version(1), _cache.Now);
        Commit(Put(Key(1), Document.Put(new HlcTimestamp(9), DocumentContent.OfRaw(new byte[Capacity]))));
        Assert.Null(_cache.Find(Key(1), _cache.Now));
        Assert.Equal(0, _cache.Length);
    }

    [Fact]
    public void Full_cache_replaces_unused_documents_with_frequently_read_ones()
    {
        Fill();
        Assert.Equal(0, Enumerable.Range(2_000, 1_000).Count(i => _cache.Wants(Key(i), documentLength: 50, _cache.Now)));
        Assert.Equal([false, false, false, true], Enumerable.Range(0, 4).Select(_ => _cache.Wants(Key(5_000), documentLength: 50, _cache.Now)));
    }

    [Fact]
    public void Full_cache_keeps_documents_that_are_in_use()
    {
        Fill();
        int[] kept = [.. Enumerable.Range(0, 1_000).Where(i => _cache.Find(Key(i), _cache.Now) is not null)];
        Assert.InRange(kept.Length, 20, 80);
        for (int round = 0; round < 10; round++)
        {
            foreach (int i in kept)
                Assert.NotNull(_cache.Find(Key(i), _cache.Now));
            // Some slots hold no document, so they can take one.
            Assert.InRange(Enumerable.Range(2_000, 60).Count(i => _cache.Wants(Key(i), documentLength: 50, _cache.Now)), 0, 20);
        }
    }

    void Fill()
    {
        for (int i = 0; i < 1_000; i++)
            _cache.Add(Key(i), Version(1), _cache.Now);
    }

    void Read(byte[] key, Document document, long snapshot)
    {
        Assert.Null(_cache.Find(key, snapshot));
        Assert.True(_cache.Wants(key, document.Encoded.Length, snapshot));
        _cache.Add(key, document, snapshot);
    }

    void Commit(params IEnumerable<WriteBatch> parts)
    {
        var batch = new WriteBatch();
        foreach (var operation in parts.SelectMany(part => part.Operations.ToArray()))
        {
            if (operation.Value is { } value)
                batch.Put(operation.Key, value);
            else
                batch.Delete(operation.Key);
        }
        _cache.Complete(_cache.Begin(batch));
    }

    static WriteBatch Put(byte[] key, Document document)
    {
        var batch = new WriteBatch();
        batch.Put(key, document.Encoded);
        return batch;
    }

    static WriteBatch Delete(byte[] key)
    {
        var batch = new WriteBatch();
        batch.Delete(key);
        return batch;
    }

    internal static byte[] Key(int number)
    {
        Span<byte> key = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return StoreLayout.DocumentKey(keyspace: 1, key);
    }

    internal static Document Version(int number) =>
        Document.Put(new HlcTimestamp((ulong)number), DocumentContent.OfRaw(BitConverter.GetBytes(number)));
}
