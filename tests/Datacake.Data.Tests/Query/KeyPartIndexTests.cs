using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests that an index on a later part of a composite key finds and orders entities by that part.</summary>
public sealed class KeyPartIndexTests(StoreFixture store) : IAsyncLifetime
{
    readonly List<Entry> _entries = [];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await using var db = Context();
        var random = new Random(1);
        string[] texts = ["", "a", "a\0b", "\0", "ä", "zz", "\uFFFD"];
        for (int i = 0; i < 200; i++)
        {
            _entries.Add(new Entry
            {
                Name = texts[random.Next(texts.Length)],
                Owner = new Guid(random.Next(3), 0, 0, new byte[8]),
                Day = new DateOnly(2026, 1, 1 + random.Next(4)),
                Status = (Status)random.Next(2),
                Share = new(10 * random.Next(3)),
                Tag = texts[random.Next(texts.Length)],
                Number = (ulong)i % 5 == 0 ? ulong.MaxValue - (ulong)i : (ulong)i,
            });
        }
        db.Entries.PutRange(_entries);
        await db.SaveChangesAsync(Token);
        var removed = _entries[..20];
        _entries.RemoveRange(0, 20);
        db.Entries.RemoveRange(removed);
        await db.SaveChangesAsync(Token);
        _entries.Sort((a, b) => db.Entries.Model.KeyOf(a).CompareTo(db.Entries.Model.KeyOf(b)));
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Entities_are_found_by_the_index_of_every_key_part()
    {
        await using var db = Context();
        var owner = _entries[0].Owner;
        var day = new DateOnly(2026, 1, 2);
        ulong[] numbers = [ulong.MaxValue - 25, 31, 32];
        await Finds("Owner where Owner = ", db.Entries.Where(e => e.Owner == owner), _entries.Where(e => e.Owner == owner));
        await Finds("Day where Day > ", db.Entries.Where(e => e.Day > day), _entries.Where(e => e.Day > day));
        await Finds("Status where Status = Active", db.Entries.Where(e => e.Status == Status.Active), _entries.Where(e => e.Status == Status.Active));
        await Finds("Share where Share = ", db.Entries.Where(e => e.Share == new Share(13)), _entries.Where(e => e.Share == new Share(10)));
        await Finds("Tag where Tag = ", db.Entries.Where(e => e.Tag == "a\0b"), _entries.Where(e => e.Tag == "a\0b"));
        await Finds("Tag where Tag starts with 'a'", db.Entries.Where(e => e.Tag.StartsWith('a')), _entries.Where(e => e.Tag.StartsWith('a')));
        await Finds("Number where Number in (", db.Entries.Where(e => numbers.Contains(e.Number)), _entries.Where(e => numbers.Contains(e.Number)));
        await Finds("Number", db.Entries.OrderByDescending(e => e.Number).Take(7), _entries.OrderByDescending(e => e.Number).Take(7));
        await Finds(
            "Day_Name", db.Entries.OrderByDescending(e => e.Day).ThenByDescending(e => e.Name).Take(9),
            _entries.OrderByDescending(e => e.Day).ThenByDescending(e => e.Name, StringComparer.Ordinal).Take(9));
        await Finds(
            "Day_Name where Day = 2026-01-02 and Name > 'a'", db.Entries.Where(e => e.Day == day && e.Name.CompareTo("a") > 0),
            _entries.Where(e => e.Day == day && string.CompareOrdinal(e.Name, "a") > 0));
        Assert.Equal(_entries.Max(e => e.Number), await db.Entries.MaxAsync(e => e.Number, Token));
        Assert.True((await (await store.Node.OpenStoreAsync(Token)).VerifyAsync(Token)).IsSound);
    }

    [Fact]
    public async Task Links_are_found_from_both_sides()
    {
        await using var db = Context();
        db.Links.PutRange(Enumerable.Range(0, 60).Select(i => new Link { Left = 1000 + (i / 6), Right = 2000 + (i % 6), Text = i % 2 == 0 ? "even" : "odd" }));
        await db.SaveChangesAsync(Token);
        Assert.Equal("links: index Right where Right = 2003", db.Links.Where(l => l.Right == 2003).Explain());
        Assert.Equal(Enumerable.Range(1000, 10).Select(left => (long)left), (await db.Links.Where(l => l.Right == 2003).ToListAsync(Token)).Select(l => l.Left));
        Assert.Equal(10, await db.Links.CountAsync(l => l.Right == 2003, Token));
        Assert.StartsWith("links: index Text_Right where Text = 'odd' and Right > 2002", db.Links.Where(l => l.Text == "odd" && l.Right > 2002).Explain(), StringComparison.Ordinal);
        Assert.Equal(20, await db.Links.CountAsync(l => l.Text == "odd" && l.Right > 2002, Token));
        Assert.Equal(20, await db.Links.Where(l => l.Right >= 2004).ExecuteDeleteAsync(Token));
        Assert.Equal(0, await db.Links.CountAsync(l => l.Right >= 2004, Token));
    }

    static async Task Finds(string plan, Query<Entry> query, IEnumerable<Entry> expected)
    {
        var results = expected.Select(entry => $"{entry}").ToList();
        Assert.NotEmpty(results);
        Assert.StartsWith($"entries: index {plan}", query.Explain(), StringComparison.Ordinal);
        Assert.Equal(results, (await query.ToListAsync(Token)).Select(entry => $"{entry}"));
        Assert.Equal(results.Count, await query.CountAsync(Token));
    }

    AccountContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}
