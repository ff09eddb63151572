using System.Buffers.Binary;
using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Caching;

/// <summary>What a cache gives to which snapshot, and how much it keeps.</summary>
public sealed class DocumentCacheTests
{
    const long Capacity = 16 * 1024;

    readonly DocumentCache _cache = new(Capacity);

    [Fact]
    public void A_document_that_one_snapshot_has_read_is_there_for_the_others()
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
    public void Nobody_is_given_a_document_while_it_is_being_committed()
    {
        Read(Key(1), Version(1), _cache.Now);
        long before = _cache.Now;
        long commit = _cache.Begin(Put(Key(1), Version(2)));

        // The storage may show either version now; whatever a snapshot reads, it cannot be known which.
        Assert.Null(_cache.Find(Key(1), before));
        Assert.False(_cache.Wants(Key(1), Version(1).Encoded.Length, before));
        _cache.Add(Key(1), Version(1), before);
        Assert.Null(_cache.Find(Key(1), before));

        _cache.Complete(commit);
        Assert.Null(_cache.Find(Key(1), before));
        Assert.NotEqual(Version(1), _cache.Find(Key(1), _cache.Now)?.Document);
    }

    [Fact]
    public void What_a_slow_reader_adds_after_it_was_changed_is_given_to_nobody()
    {
        long before = _cache.Now;
        Assert.True(_cache.Wants(Key(1), Version(1).Encoded.Length, before));
        Commit(Put(Key(1), Version(2)));
        _cache.Add(Key(1), Version(1), before);
        Assert.Null(_cache.Find(Key(1), _cache.Now));
        Assert.Null(_cache.Find(Key(1), before));
    }

    [Fact]
    public void What_a_commit_writes_takes_the_place_of_what_was_kept_for_the_snapshots_that_show_it()
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
    public void Of_several_operations_on_a_document_the_last_one_counts()
    {
        Read(Key(1), Version(1), _cache.Now);
        Read(Key(2), Version(1), _cache.Now);
        Commit(Put(Key(1), Version(2)), Delete(Key(1)), Put(Key(1), Version(3)), Put(Key(2), Version(2)), Delete(Key(2)));
        Assert.Equal(Version(3), _cache.Find(Key(1), _cache.Now)?.Document);
        Assert.Null(_cache.Find(Key(2), _cache.Now));
    }

    [Fact]
    public void A_commit_that_fails_leaves_nothing_of_it_whatever_became_of_it_in_the_storage()
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
    public void It_takes_no_more_memory_than_its_capacity()
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
    public void A_document_that_would_take_the_place_of_many_is_not_kept()
    {
        Assert.True(_cache.Wants(Key(1), (int)Capacity / 256, _cache.Now));
        Assert.False(_cache.Wants(Key(1), ((int)Capacity / 256) + 1, _cache.Now));
        Read(Key(1), Version(1), _cache.Now);
        Commit(Put(Key(1), Document.Put(new HlcTimestamp(9), DocumentContent.OfRaw(new byte[Capacity]))));
        Assert.Null(_cache.Find(Key(1), _cache.Now));
        Assert.Equal(0, _cache.Length);
    }

    [Fact]
    public void When_it_is_full_what_is_read_again_and_again_takes_the_place_of_what_is_not()
    {
        Fill();
        Assert.Equal(0, Enumerable.Range(2_000, 1_000).Count(i => _cache.Wants(Key(i), documentLength: 50, _cache.Now)));
        Assert.Equal([false, false, false, true], Enumerable.Range(0, 4).Select(_ => _cache.Wants(Key(5_000), documentLength: 50, _cache.Now)));
    }

    [Fact]
    public void When_it_is_full_of_what_is_used_nothing_takes_its_place()
    {
        Fill();
        int[] kept = [.. Enumerable.Range(0, 1_000).Where(i => _cache.Find(Key(i), _cache.Now) is not null)];
        Assert.InRange(kept.Length, 20, 80);
        for (int round = 0; round < 10; round++)
        {
            foreach (int i in kept)
                Assert.NotNull(_cache.Find(Key(i), _cache.Now));
            // Some slots have no document: they are not full.
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
