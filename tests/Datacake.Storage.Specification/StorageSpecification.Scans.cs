namespace Datacake.Storage.Specification;

public abstract partial class StorageSpecification
{
    static readonly string[] ScannedKeys = ["", "\0", "a", "a\0", "ab", "b", "b\xFF", "b\xFF\xFF", "c", "\xFF", "\xFF\xFF"];

    static readonly string[] Bounds = [.. ScannedKeys, "\0\0", "a\0\0", "aa", "bb", "b\xFF\x01", "d", "\xFF\xFE", "\xFF\xFF\xFF"];

    [Theory]
    [InlineData(ScanDirection.Forward)]
    [InlineData(ScanDirection.Reverse)]
    public async Task A_scan_returns_the_entries_from_the_start_up_to_the_end(ScanDirection direction)
    {
        await CommitAsync([.. ScannedKeys.Select(key => (key, (string?)$"{key.Length}"))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        foreach (string start in Bounds)
        {
            foreach (string? end in Bounds.Append(null))
            {
                KeyRange range = Range(start, end);
                IEnumerable<string> expected = ScannedKeys.Where(key => range.Contains(Bytes(key))).Select(key => $"{key}={key.Length}");
                if (direction == ScanDirection.Reverse)
                    expected = expected.Reverse();
                foreach (int pageSize in (int[])[1, 3, int.MaxValue])
                    Assert.Equal(expected, await ScanAsync(snapshot, range, direction, pageSize));
            }
        }
    }

    [Theory]
    [InlineData("", new[] { "", "\0", "a", "a\0", "ab", "b", "b\xFF", "b\xFF\xFF", "c", "\xFF", "\xFF\xFF" })]
    [InlineData("a", new[] { "a", "a\0", "ab" })]
    [InlineData("b\xFF", new[] { "b\xFF", "b\xFF\xFF" })]
    [InlineData("\xFF", new[] { "\xFF", "\xFF\xFF" })]
    [InlineData("aa", new string[0])]
    public async Task A_prefix_scan_returns_the_keys_that_start_with_the_prefix(string prefix, string[] expected)
    {
        await CommitAsync([.. ScannedKeys.Select(key => (key, (string?)""))]);
        Assert.Equal(expected.Select(key => key + "="), await ScanAsync(KeyRange.WithPrefix(Bytes(prefix))));
        Assert.Equal(
            expected.Reverse().Select(key => key + "="), await ScanAsync(KeyRange.WithPrefix(Bytes(prefix)), ScanDirection.Reverse, 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(5000)]
    public async Task Consecutive_pages_have_no_gaps_or_repetitions(int pageSize)
    {
        string[] keys = [.. Enumerable.Range(0, 1000).Select(i => $"{i:D4}")];
        await CommitAsync([.. keys.Select(key => (key, (string?)key))]);
        IEnumerable<string> entries = keys.Select(key => $"{key}={key}");
        Assert.Equal(entries, await ScanAsync(KeyRange.All, pageSize: pageSize));
        Assert.Equal(entries.Reverse(), await ScanAsync(KeyRange.All, ScanDirection.Reverse, pageSize));
    }

    [Fact]
    public async Task A_count_is_the_number_of_entries_that_a_scan_returns()
    {
        await CommitAsync([.. ScannedKeys.Select(key => (key, (string?)Value(key.Length * 3000)))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        foreach (string start in Bounds)
        {
            foreach (string? end in Bounds.Append(null))
                Assert.Equal(ScannedKeys.Count(key => Range(start, end).Contains(Bytes(key))), await snapshot.CountAsync(Range(start, end)));
        }
    }

    [Theory]
    [InlineData(ScanDirection.Forward)]
    [InlineData(ScanDirection.Reverse)]
    public async Task A_skip_leads_to_the_entry_that_a_scan_returns_after_the_others(ScanDirection direction)
    {
        await CommitAsync([.. ScannedKeys.Select(key => (key, (string?)""))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        foreach (string start in Bounds)
        {
            foreach (string? end in Bounds.Append(null))
            {
                string[] inRange = [.. ScannedKeys.Where(key => Range(start, end).Contains(Bytes(key)))];
                if (direction == ScanDirection.Reverse)
                    Array.Reverse(inRange);
                for (int count = 0; count <= inRange.Length + 1; count++)
                {
                    var found = await snapshot.SkipAsync(Range(start, end), direction, count);
                    Assert.Equal(count < inRange.Length ? Bytes(inRange[count]) : null, found?.ToArray());
                }
            }
        }
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await snapshot.SkipAsync(KeyRange.All, direction, -1));
    }

    [Fact]
    public async Task Many_entries_are_counted_and_skipped()
    {
        const int entries = 5_000;
        await CommitAsync([.. Enumerable.Range(0, entries).Select(i => ($"{i:D4}", (string?)""))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        Assert.Equal(entries, await snapshot.CountAsync(KeyRange.All));
        Assert.Equal(Bytes("4321"), (await snapshot.SkipAsync(KeyRange.All, ScanDirection.Forward, 4321))?.ToArray());
        Assert.Equal(Bytes("0678"), (await snapshot.SkipAsync(KeyRange.All, ScanDirection.Reverse, 4321))?.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_page_size_below_one_is_refused(int pageSize)
    {
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        using var page = new EntryPage();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, pageSize));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, pageSize, page));
    }

    [Theory]
    [InlineData(ScanDirection.Forward)]
    [InlineData(ScanDirection.Reverse)]
    public async Task A_reused_page_returns_the_same_entries_as_a_list(ScanDirection direction)
    {
        await CommitAsync([.. ScannedKeys.Select(key => (key, (string?)Value(key.Length * 3000)))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        using var page = new EntryPage();
        foreach (string start in Bounds)
        {
            foreach (string? end in Bounds.Append(null))
            {
                KeyRange range = Range(start, end);
                await snapshot.ScanAsync(range, direction, 3, page);
                Assert.Equal((await snapshot.ScanAsync(range, direction, 3)).Select(entry => $"{Text(entry.Key)}={Text(entry.Value)}"), Entries(page));
            }
        }
    }

    [Fact]
    public async Task Many_keys_are_returned_in_the_requested_order()
    {
        string[] keys = [.. Enumerable.Range(0, 1000).Select(i => $"{i:D4}")];
        await CommitAsync([.. keys.Select((key, i) => (key, (string?)Value(i % 100 == 0 ? 9000 : i % 50)))]);
        using IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        using var page = new EntryPage();
        string[][] asked = [[], ["0000"], ["", "none", "0001"], [.. Bounds, "0100"], [.. keys.Where((_, i) => i % 7 == 0)], [.. keys.Reverse()], ["0300", "0300"]];
        foreach (string[] some in asked)
        {
            await snapshot.GetManyAsync([.. some.Select(key => (ReadOnlyMemory<byte>)Bytes(key))], page);
            var expected = new List<string>();
            foreach (string key in some)
            {
                if (await GetAsync(snapshot, key) is { } value)
                    expected.Add($"{key}={value}");
            }
            Assert.Equal(expected, Entries(page));
        }
    }

    static IEnumerable<string> Entries(EntryPage page) =>
        Enumerable.Range(0, page.Count).Select(i => $"{Text(page.KeyOf(i).ToArray())}={Text(page.ValueOf(i).ToArray())}");
}
