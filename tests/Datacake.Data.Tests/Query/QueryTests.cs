using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests.Query;

[Collection(QueriedData.Tests)]
public class QueryTests(QueriedData data)
{
    [Fact]
    public async Task Plans_use_keys_and_indexes_and_show_them()
    {
        await using var db = data.NewContext();
        var id = Guid.Parse("11111111-1111-1111-1111-111111111111");
        int[] numbers = [1, 3];
        string prefix = "ab";
        Expect("queried: full scan", db.Everything);
        Expect("queried: key lookup where Id = 11111111-1111-1111-1111-111111111111", db.Everything.Where(e => e.Id == id));
        Expect("queried: key range where Id > 11111111-1111-1111-1111-111111111111", db.Everything.Where(e => e.Id > id));
        Expect("queried: index Int32 where Int32 in (1, 3)", db.Everything.Where(e => numbers.Contains(e.Int32)));
        Expect("queried: index Int32 where Int32 >= 1 and Int32 < 4", db.Everything.Where(e => e.Int32 >= 1 && e.Int32 < 4));
        Expect(
            "queried: index NullableString where NullableString starts with 'ab'",
            db.Everything.Where(e => e.NullableString!.StartsWith(prefix)));
        Expect(
            "queried: index Status_Int32 where Status = Active and Int32 > 2",
            db.Everything.Where(e => e.Status == Status.Active && e.Int32 > 2));
        Expect("queried: index Set where Set contains 'a'", db.Everything.Where(e => e.Set.Contains("a")));
        Expect(
            "queried: index Owned.Text where Owned.Text = 'x'; check ", db.Everything.Where(e => e.Owned != null && e.Owned.Text == "x"));
        Expect(
            "queried: index Int32 where Int32 = 1 or index NullableInt32 where NullableInt32 = 2; check ",
            db.Everything.Where(e => e.Int32 == 1 || e.NullableInt32 == 2));
        Expect("queried: full scan; check ", db.Everything.Where(e => e.Int32 == 1 || e.Int16 == 2));
        Expect(
            "queried: index Int32 where Int32 in (1, 2, 3, 4, 5, … 20 values)",
            db.Everything.Where(e => e.Int32 == 1 || e.Int32 == 2 || e.Int32 == 3 || e.Int32 == 4 || e.Int32 == 5 || e.Int32 == 6 || e.Int32 == 7 || e.Int32 == 8 || e.Int32 == 9 || e.Int32 == 10
                || e.Int32 == 11 || e.Int32 == 12 || e.Int32 == 13 || e.Int32 == 14 || e.Int32 == 15 || e.Int32 == 16 || e.Int32 == 17 || e.Int32 == 18 || e.Int32 == 19 || e.Int32 == 20));
        Expect("queried: index Int32; order by Int32; take 3", db.Everything.OrderBy(e => e.Int32).Take(3));
        Expect(
            "queried: index Int32, descending; order by Int32 descending, then String in memory; take 3",
            db.Everything.OrderByDescending(e => e.Int32).ThenBy(e => e.String).Take(3));
        Expect(
            "queried: index Status_Int32 where Status = Draft",
            db.Everything.Where(e => e.Status == Status.Draft).OrderBy(e => e.Int32));
        Expect("queried: full scan, descending; order by Id descending", db.Everything.OrderByDescending(e => e.Id));
        Expect("queried: full scan; order by String in memory", db.Everything.OrderBy(e => e.String));
        Expect("queried: nothing, as the condition is never true", db.Everything.Where(e => new List<int>().Contains(e.Int32)));
        Expect("queried lines: key range where Order = 'A'", db.Lines.Where(l => l.Order == "A"));
        Expect("queried lines: key lookup where Order = 'A' and Line = 3", db.Lines.Where(l => l.Order == "A" && l.Line == 3));
        Expect(
            "queried lines: key range where Order = 'A' and Line >= 3",
            db.Lines.Where(l => l.Order == "A" && l.Line >= 3).OrderBy(l => l.Order));

        static void Expect<T>(string plan, Query<T> query) => Assert.StartsWith(plan, query.Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Query_syntax_works()
    {
        await using var db = data.NewContext();
        var query =
            from e in db.Everything
            where e.Int32 > 0
            orderby e.Int32 descending, e.String
            select new { e.Id, Twice = e.Int32 * 2 };
        var expected =
            from e in data.Entities
            where e.Int32 > 0
            orderby e.Int32 descending, e.String
            select new { e.Id, Twice = e.Int32 * 2 };
        Assert.Equal(
            data.Entities.Where(e => e.Int32 > 0).OrderByDescending(e => e.Int32).ThenBy(e => e.String, StringComparer.Ordinal).Select(
                e => new { e.Id, Twice = e.Int32 * 2 }),
            await query.ToListAsync(Token));
        Assert.Equal(expected.Count(), await query.CountAsync(Token));
    }

    [Fact]
    [SuppressMessage("Globalization", "CA1309:Use ordinal string comparison", Justification = "That it is one in a query is what is tested.")]
    [SuppressMessage("Globalization", "CA1304:Specify CultureInfo", Justification = "That a query needs none is what is tested.")]
    [SuppressMessage("Globalization", "CA1311:Specify a culture or use an invariant version", Justification = "That a query needs none is what is tested.")]
    public async Task Strings_compare_by_ordinal_whatever_the_culture()
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
            await using var db = data.NewContext();
            string zero = "\0", end = "b", sharp = "ß";
            Assert.Equal(
                data.Entities.Where(e => string.CompareOrdinal(e.String, "a") > 0).Select(e => e.Id),
                await db.Everything.Where(e => e.String.CompareTo("a") > 0).Select(e => e.Id).ToListAsync(Token));
            Assert.Equal(
                data.Entities.Where(e => string.CompareOrdinal(e.NullableString, "a") >= 0).Select(e => e.Id),
                await db.Everything.Where(e => string.Compare(e.NullableString, "a") >= 0).Select(e => e.Id).ToListAsync(Token));
            Assert.Equal(
                data.Entities.Where(e => e.String.StartsWith('\0') || e.String.EndsWith('b') || e.String.IndexOf('ß') == 1).Select(e => e.Id),
                await db.Everything.Where(e => e.String.StartsWith(zero) || e.String.EndsWith(end) || e.String.IndexOf(sharp) == 1).Select(e => e.Id).ToListAsync(Token));
            Assert.Equal(
                data.Entities.OrderBy(e => e.String.StartsWith('\0')).ThenByDescending(e => e.String.EndsWith('b')).Select(e => e.Id),
                await db.Everything.OrderBy(e => e.String.StartsWith(zero)).ThenByDescending(e => e.String.EndsWith(end)).Select(e => e.Id).ToListAsync(Token));
            Assert.Equal(
                data.Entities.Select(e => ((e.String + "I").ToLowerInvariant(), (e.String + "i").ToUpperInvariant(), e.String.LastIndexOf('\0'))),
                await db.Everything
                    .Select(e => ValueTuple.Create((e.String + "I").ToLower(), (e.String + "i").ToUpper(), e.String.LastIndexOf(zero)))
                    .ToListAsync(Token));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public async Task Entities_are_tracked_once_and_with_their_current_values()
    {
        await using var db = data.NewContext();
        var first = await db.Everything.FirstAsync(Token);
        string stored = first.String;
        first.String = "changed here";
        Assert.Same(first, await db.Everything.Where(e => e.Id == first.Id).SingleAsync(Token));
        Assert.Same(first, (await db.Everything.ToListAsync(Token))[0]);
        Assert.Same(first, await db.Everything.FindAsync([first.Id], Token));
        // Conditions are evaluated on stored values, as in a database.
        Assert.Null(await db.Everything.FirstOrDefaultAsync(e => e.String == "changed here", Token));
        Assert.Equal(stored, await db.Everything.Where(e => e.Id == first.Id).Select(e => e.String).SingleAsync(Token));
        Assert.Equal(
            EntityState.Modified,
            db.Entry(first).State = db.ChangeTracker.Entries<Everything>().Single(entry => entry.Entity == first).State);
    }

    [Fact]
    public async Task AsNoTracking_and_projections_track_nothing()
    {
        await using var db = data.NewContext();
        Assert.NotEmpty(await db.Everything.AsNoTracking().Take(3).ToListAsync(Token));
        Assert.NotEmpty(await db.Everything.Take(10).Where(e => e.Int32 < 5).AsNoTracking().ToListAsync(Token));
        Assert.NotEmpty(await db.Everything.Select(e => new { e.Id, e.Owned }).ToListAsync(Token));
        Assert.True(await db.Everything.AnyAsync(Token));
        Assert.NotEqual(0, await db.Everything.CountAsync(e => e.Int32 > 0, Token));
        Assert.Empty(db.ChangeTracker.Entries());

        Assert.NotEmpty(await db.Everything.Take(3).Select(e => new { e, e.Int32 }).ToListAsync(Token));
        Assert.Equal(3, db.ChangeTracker.Entries().Count);
    }

    [Fact]
    public async Task Results_exclude_unsaved_entities_and_include_removed_ones_until_the_save()
    {
        await using var db = data.NewContext();
        var added = new Everything { Id = Guid.NewGuid() };
        db.Everything.Add(added);
        Assert.False(await db.Everything.AnyAsync(e => e.Id == added.Id, Token));
        var removed = await db.Everything.FirstAsync(Token);
        db.Everything.Remove(removed);
        Assert.Same(removed, await db.Everything.FirstAsync(Token));
    }

    [Fact]
    public async Task Results_are_in_key_order_with_every_plan()
    {
        await using var db = data.NewContext();
        Assert.Equal(
            data.Entities.Where(e => e.Int32 > -3).Select(e => e.Id),
            (await db.Everything.Where(e => e.Int32 > -3).ToListAsync(Token)).Select(e => e.Id));
    }

    [Fact]
    public async Task Comparison_by_reference_does_not_match_equal_values()
    {
        await using var db = data.NewContext();
        var some = data.Entities.First(e => e.NullableString is { Length: > 0 });
        object text = new string(some.NullableString);
        Assert.Equal(0, await db.Everything.CountAsync(e => (object?)e.NullableString == text, Token));
        Assert.NotEqual(0, await db.Everything.CountAsync(e => e.NullableString == some.NullableString, Token));
    }

    [Fact]
    public async Task Enumeration_continues_but_new_queries_fail_after_the_context_is_disposed()
    {
        await ReadsAll(db => db.Everything, data.Entities.Count);
        await ReadsAll(db => db.Everything.AsNoTracking().OrderBy(e => e.Int32), data.Entities.Count);
        await ReadsAll(db => db.Everything.Where(e => e.Int32 > -3).Select(e => e.String), data.Entities.Count(e => e.Int32 > -3));

        async Task ReadsAll<T>(Func<QueryContext, Query<T>> of, int count)
        {
            var db = data.NewContext();
            var query = of(db);
            int read = 0;
            await foreach (var _ in query.WithCancellation(Token))
            {
                if (read++ == 1)
                    await db.DisposeAsync();
            }
            Assert.Equal(count, read);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => query.ToListAsync(Token));
        }
    }

    [Fact]
    public async Task Expression_that_dereferences_null_is_named()
    {
        await using var db = data.NewContext();
        await Named("e.Owned.Set.Count", db.Everything.Where(e => e.Owned!.Set.Count == 1).ToListAsync(Token));
        await Named("e.Owned.Set.Count", db.Everything.OrderBy(e => e.Owned!.Set.Count).ToListAsync(Token));
        await Named("e.Owned.Set.Count", db.Everything.Select(e => e.Owned!.Set.Count).ToListAsync(Token));

        static async Task Named(string expression, Task query)
        {
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => query);
            Assert.Contains(expression, exception.Message, StringComparison.Ordinal);
            Assert.IsType<NullReferenceException>(exception.InnerException);
        }
    }

    [Fact]
    public async Task Query_can_be_run_repeatedly_and_extended()
    {
        await using var db = data.NewContext();
        var positive = db.Everything.Where(e => e.Int32 > 0);
        int count = await positive.CountAsync(Token);
        Assert.Equal(count, await positive.CountAsync(Token));
        Assert.Equal(data.Entities.Count(e => e.Int32 > 0 && e.Boolean), await positive.Where(e => e.Boolean).CountAsync(Token));
        Assert.Equal(count, (await positive.OrderBy(e => e.String).ToListAsync(Token)).Count);
    }

    [Fact]
    public async Task AsyncEnumerable_operators_can_follow_a_query()
    {
        await using var db = data.NewContext();
        var groups = await db.Everything.AsNoTracking().GroupBy(e => e.Int32 > 0 ? "positive" : "other").ToDictionaryAsync(
            group => group.Key, group => group.Count(), cancellationToken: Token);
        Assert.Equal(data.Entities.Count(e => e.Int32 > 0), groups["positive"]);
    }

    [Fact]
    public async Task Context_can_be_used_while_a_query_is_enumerated()
    {
        await using var db = data.NewContext();
        await foreach (var entity in db.Everything.Where(e => e.Int32 > 0).WithCancellation(Token))
            Assert.Same(entity, await db.Everything.FindAsync([entity.Id], Token));
    }

    [Fact]
    public async Task Values_longer_than_an_index_entry_are_distinguished_and_ordered()
    {
        await using var db = data.NewContext();
        string same = new('x', 300);
        var lines = Enumerable.Range(0, 6).Select(i => new Everything { Id = Guid.NewGuid(), NullableString = same + (char)('a' + (i * 5 % 6)) }).ToList();
        db.Everything.AddRange(lines);
        await db.SaveChangesAsync(Token);
        try
        {
            Assert.Equal(lines[2].Id, (await db.Everything.Where(e => e.NullableString == lines[2].NullableString).SingleAsync(Token)).Id);
            Assert.Equal(
                lines.Where(l => l.NullableString!.EndsWith('c')).Select(l => l.Id),
                await db.Everything.Where(e => e.NullableString == same + "c").Select(e => e.Id).ToListAsync(Token));
            var ordered = await db.Everything.Where(e => e.NullableString!.StartsWith(same)).OrderByDescending(e => e.NullableString).ToListAsync(Token);
            Assert.Equal(["f", "e", "d", "c", "b", "a"], ordered.Select(e => e.NullableString![^1..]));
        }
        finally
        {
            db.Everything.RemoveRange(lines);
            await db.SaveChangesAsync(Token);
        }
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
