using System.Buffers;
using System.Runtime.CompilerServices;
using CsCheck;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Memory;
using Datacake.Extensions.Caching.Records;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The bytes of entries, and the memory of a process, without a node.</summary>
public sealed class CacheRecordTests
{
    [Fact]
    public void Record_is_read_as_it_was_written() => Gen.Select(
        Gen.Enum<CacheRecordKind>(), Gen.Long[0, TimeSpan.MaxValue.Ticks], Gen.Long[0, DateTime.MaxValue.Ticks].Nullable(), Gen.ULong.Nullable(), Gen.Select(Gen.String[1, 50], Gen.ULong).Array[0, 5], Gen.Bool, Gen.Byte.Array[0, 100])
        .Sample((kind, sliding, absolute, stamp, tags, isNull, payload) =>
        {
            var written = new CacheRecord
            {
                Kind = kind,
                Sliding = TimeSpan.FromTicks(sliding),
                Absolute = absolute is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
                Known = stamp is null && tags.Length == 0
                    ? null
                    : new Knowledge(
                        stamp is { } entry ? new HlcTimestamp(entry) : null, new HlcTimestamp(~stamp ?? 7),
                        [.. tags.Select(static tag => new TagStamp(CacheKeys.OfTag(tag.Item1), new HlcTimestamp(tag.Item2)))]),
                IsNull = isNull,
            };
            byte[] bytes = written.Encode(new ReadOnlySequence<byte>(payload));
            Assert.Equal(written.HeaderLength + payload.Length, bytes.Length);
            Assert.True(CacheRecord.TryRead(bytes, out var read));
            Assert.Equal((written.Kind, written.Sliding, written.Absolute, written.Known?.Entry, written.Known?.Everything, written.IsNull), (read.Kind, read.Sliding, read.Absolute, read.Known?.Entry, read.Known?.Everything, read.IsNull));
            Assert.Equal(written.Known?.Tags, read.Known?.Tags);
            Assert.Equal(payload, read.Payload.ToArray());
        });

    [Fact]
    public void Damaged_bytes_are_no_record_or_another_one_but_no_error() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        CacheRecord.TryRead(bytes, out _);
        if (bytes.Length > 0)
        {
            bytes[0] = 1;
            CacheRecord.TryRead(bytes, out _);
        }
    });

    [Fact]
    public void Entry_is_not_kept_if_its_document_has_changed_since_it_was_read()
    {
        var local = new LocalCache(10_000);
        local.Open();
        var before = local.Begin("k");
        local.OnChange("k", new HlcTimestamp(20));
        local.Add(Entry("k", 10), before, isKept: true);
        Assert.Null(local.Find("k", 0));
        local.Add(Entry("k", 20), local.Begin("k"), isKept: true);
        Assert.NotNull(local.Find("k", 0));
    }

    [Fact]
    public void Entry_is_kept_if_the_only_change_since_is_its_own()
    {
        var local = new LocalCache(10_000);
        local.Open();
        var before = local.Begin("k");
        local.OnChange("k", new HlcTimestamp(20));
        local.Add(Entry("k", 20), before, isKept: true);
        Assert.NotNull(local.Find("k", 0));
        // The report of its own change may also come later.
        local.OnChange("k", new HlcTimestamp(20));
        Assert.NotNull(local.Find("k", 0));
        local.OnChange("k", new HlcTimestamp(21));
        Assert.Null(local.Find("k", 0));
    }

    [Fact]
    public void Older_entry_does_not_replace_a_later_one()
    {
        var local = new LocalCache(10_000);
        local.Open();
        var ticket = local.Begin("k");
        local.Add(Entry("k", 20), ticket, isKept: true);
        local.Add(Entry("k", 10), ticket, isKept: true);
        Assert.Equal(new HlcTimestamp(20), local.Find("k", 0)!.Stamp);
    }

    [Fact]
    public void Nothing_is_kept_while_changes_are_not_seen()
    {
        var local = new LocalCache(10_000);
        local.Add(Entry("k", 10), local.Begin("k"), isKept: true);
        Assert.Null(local.Find("k", 0));
        local.Open();
        var ticket = local.Begin("k");
        local.Close();
        local.Open();
        local.Add(Entry("k", 10), ticket, isKept: true);
        Assert.Null(local.Find("k", 0));
    }

    [Fact]
    public void Entry_that_is_read_outlives_those_that_are_not()
    {
        var local = new LocalCache(1000);
        local.Open();
        local.Add(Entry("read", 1), local.Begin("read"), isKept: true);
        for (ulong i = 0; i < 10_000; i++)
        {
            string key = $"k{i % 50}";
            local.Add(Entry(key, i + 2), local.Begin(key), isKept: true);
            Assert.NotNull(local.Find("read", 0));
        }
        Assert.Equal((1000, 10), local.Size);
    }

    [Fact]
    public void Replaced_and_removed_values_are_not_held_in_memory()
    {
        var local = new LocalCache(1_000_000);
        local.Open();
        local.Add(Entry("other", 1), local.Begin("other"), isKept: true);
        var values = AddAndReplace();
        GC.Collect();
        Assert.DoesNotContain(values, static value => value.IsAlive);
        Assert.Equal((100, 1), local.Size);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference[] AddAndReplace()
        {
            var added = new WeakReference[100];
            for (int i = 0; i < added.Length; i++)
            {
                byte[] payload = new byte[1000];
                added[i] = new WeakReference(payload);
                local.Add(Entry("k", (ulong)(i + 2), payload), local.Begin("k"), isKept: true);
            }
            local.OnChange("k", new HlcTimestamp(1000));
            return added;
        }
    }

    [Fact]
    public void Length_of_an_entry_includes_its_tags() =>
        Assert.InRange(LocalCache.LengthOf("k", [.. Enumerable.Range(0, 100).Select(static i => new TagStamp(CacheKeys.OfTag($"tag{i}"), default))], 0) - LocalCache.LengthOf("k", [], 0), 6000, 10_000);

    [Fact]
    public void Expired_entry_is_removed()
    {
        var local = new LocalCache(1000);
        local.Open();
        local.Add(Entry("k", 1), local.Begin("k"), isKept: true);
        Assert.NotNull(local.Find("k", 999));
        Assert.Null(local.Find("k", 1000));
        Assert.Equal((0, 0), local.Size);
    }

    static LocalEntry Entry(string key, ulong stamp, byte[]? payload = null) => new()
    {
        Key = key,
        Document = key,
        Stamp = new HlcTimestamp(stamp),
        Known = Knowledge.None,
        ExpiresAt = 1000,
        Payload = payload,
        Length = 100,
    };
}
