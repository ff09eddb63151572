namespace Datacake.Storage.Specification;

public abstract partial class StorageSpecification
{
    [Fact]
    public async Task A_new_store_is_empty()
    {
        Assert.Null(await GetAsync(""));
        Assert.Null(await GetAsync("a"));
        Assert.Empty(await ScanAsync(KeyRange.All));
        Assert.Empty(await ScanAsync(KeyRange.All, ScanDirection.Reverse));
    }

    [Fact]
    public async Task A_value_is_read_back_as_it_was_put()
    {
        string value = string.Concat(Enumerable.Range(0, 256).Select(b => (char)b));
        await CommitAsync(("key", value));
        Assert.Equal(value, await GetAsync("key"));
        Assert.Equal(["key=" + value], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_key_that_was_not_put_has_no_value()
    {
        await CommitAsync(("b", "1"), ("bb", "2"));
        foreach (string absent in new[] { "", "a", "ba", "bbb", "c", "b\0" })
            Assert.Null(await GetAsync(absent));
    }

    [Fact]
    public async Task An_empty_value_is_not_an_absent_key()
    {
        await CommitAsync(("key", ""));
        Assert.Equal("", await GetAsync("key"));
        Assert.Equal(["key="], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task The_empty_key_sorts_before_all_others()
    {
        await CommitAsync(("\0", "zero"), ("", "empty"), ("a", ""));
        Assert.Equal("empty", await GetAsync(""));
        Assert.Equal(["=empty", "\0=zero", "a="], await ScanAsync(KeyRange.All));
        Assert.Equal(["a=", "\0=zero", "=empty"], await ScanAsync(KeyRange.All, ScanDirection.Reverse, pageSize: 1));

        await CommitAsync(("", null));
        Assert.Null(await GetAsync(""));
        Assert.Equal(["\0=zero", "a="], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task The_empty_key_may_have_an_empty_value()
    {
        await CommitAsync(("", ""));
        Assert.Equal("", await GetAsync(""));
        Assert.Equal(["="], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task Keys_compare_as_unsigned_bytes()
    {
        await CommitAsync(("\x80", "3"), ("\x7F", "2"), ("\xFF", "4"), ("\0", "1"), ("a\xFF", "b"), ("a\x01", "a"));
        Assert.Equal(["\0=1", "a\x01=a", "a\xFF=b", "\x7F=2", "\x80=3", "\xFF=4"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_key_sorts_before_longer_keys_that_start_with_it()
    {
        await CommitAsync(("ab", "3"), ("a\0", "2"), ("a", "1"), ("abc", "4"), ("b", "5"));
        Assert.Equal(["a=1", "a\0=2", "ab=3", "abc=4", "b=5"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task A_key_of_the_maximum_length_is_stored()
    {
        string longest = new('k', WriteBatch.MaxKeyLength);
        string next = longest[..^1] + 'l';
        await CommitAsync((next, "2"), (longest, "1"));
        Assert.Equal("1", await GetAsync(longest));
        Assert.Equal([longest + "=1", next + "=2"], await ScanAsync(KeyRange.All, pageSize: 1));
        Assert.Equal([next + "=2", longest + "=1"], await ScanAsync(KeyRange.All, ScanDirection.Reverse, pageSize: 1));

        await CommitAsync((longest, null));
        Assert.Equal([next + "=2"], await ScanAsync(KeyRange.All));
    }

    [Fact]
    public async Task An_overlong_key_is_absent_and_can_bound_a_range()
    {
        string longest = new('k', WriteBatch.MaxKeyLength);
        string tooLong = new('k', 2000);
        await CommitAsync(("a", "1"), (longest, "2"), ("z", "3"));
        Assert.Null(await GetAsync(tooLong));
        Assert.Equal(["z=3"], await ScanAsync(Range(tooLong, null)));
        Assert.Equal(["a=1", longest + "=2"], await ScanAsync(Range("", tooLong)));
        Assert.Equal([longest + "=2", "a=1"], await ScanAsync(Range("", tooLong), ScanDirection.Reverse));
    }

    [Fact]
    public void A_batch_refuses_a_key_that_is_too_long()
    {
        var batch = new WriteBatch();
        byte[] key = new byte[WriteBatch.MaxKeyLength + 1];
        Assert.Throws<ArgumentException>(() => batch.Put(key, default));
        Assert.Throws<ArgumentException>(() => batch.Delete(key));
        Assert.Equal(0, batch.Count);
    }

    [Theory]
    [InlineData(4 * 1024)]
    [InlineData(64 * 1024 + 1)]
    [InlineData(16 * 1024 * 1024)]
    public async Task A_large_value_is_read_back_as_it_was_put(int length)
    {
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        var batch = new WriteBatch();
        batch.Put(Bytes("before"), Bytes("1"));
        batch.Put(Bytes("large"), value);
        batch.Put(Bytes("later"), Bytes("2"));
        await Storage.CommitAsync(batch, Durability.Flushed);

        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        Assert.True((await snapshot.GetAsync(Bytes("large")))!.Value.Span.SequenceEqual(value));
        Assert.True((await snapshot.ScanAsync(Range("large", null), ScanDirection.Forward, 10))[0].Value.Span.SequenceEqual(value));
        Assert.Equal("1", await GetAsync(snapshot, "before"));
        Assert.Equal("2", await GetAsync(snapshot, "later"));

        await CommitAsync(("large", "small"));
        Assert.Equal("small", await GetAsync("large"));
        Assert.True((await snapshot.GetAsync(Bytes("large")))!.Value.Span.SequenceEqual(value));
    }
}
