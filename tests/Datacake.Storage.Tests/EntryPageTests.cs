namespace Datacake.Storage.Tests;

public sealed class EntryPageTests
{
    [Fact]
    public void Entries_that_are_added_together_follow_those_that_are_there()
    {
        using var page = new EntryPage();
        page.Add("a"u8, "1"u8);
        page.AddAll("bb2c"u8, [2, 3, 4, 4]);
        page.AddAll([], []);
        page.Add("d"u8, "4"u8);
        Assert.Equal(["a=1", "bb=2", "c=", "d=4"], Enumerable.Range(0, page.Count).Select(i => $"{Text(page.KeyOf(i))}={Text(page.ValueOf(i))}"));

        static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes);
    }

    [Fact]
    public void Many_entries_can_be_added_together()
    {
        using var page = new EntryPage();
        byte[] bytes = [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)];
        int[] ends = [.. Enumerable.Range(1, 100_000)];
        page.AddAll(bytes, ends);
        page.AddAll(bytes, ends);
        Assert.Equal(100_000, page.Count);
        for (int i = 0; i < page.Count; i++)
            Assert.Equal((bytes[2 * i % 100_000], bytes[((2 * i) + 1) % 100_000]), (page.KeyOf(i)[0], page.ValueOf(i)[0]));
    }

    [Theory]
    [InlineData(new int[0])]
    [InlineData(new[] { 3 })]
    [InlineData(new[] { 1, 2 })]
    [InlineData(new[] { 1, 4 })]
    [InlineData(new[] { -1, 3 })]
    [InlineData(new[] { 2, 1, 3, 3 })]
    public void Ends_that_do_not_cover_the_bytes_are_refused(int[] ends)
    {
        using var page = new EntryPage();
        Assert.Throws<ArgumentException>(() => page.AddAll("abc"u8, ends));
        Assert.Equal(0, page.Count);
    }
}
