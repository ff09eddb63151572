using System.Linq.Expressions;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>
/// Tests that random queries match LINQ to Objects over entities of several classes in one keyspace, with indexes on properties of
/// derived classes.
/// </summary>
public sealed class DerivedQueryDifferentialTests : QueriedStore
{
    static readonly string[] KindsOfPlans =
    [
        "full scan", "key range", "index Pages where is", "index Author_Year where is", "index years of books where is", "index Year_Minutes where is",
        "index Subjects where is", "index Cover.Color where is", "index Genre where is", "index printed titles where is", "index Minutes where is",
        "index Year;", " or index", "descending", "in memory",
    ];

    readonly HashSet<string> _kindsSeen = [];
    List<Medium> _entities = [];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Random_queries_of_derived_classes_match_LINQ_to_Objects(string provider)
    {
        await using var node = await StartAsync(provider);
        await FillAsync(node);
        // A query without a condition or an order uses no index.
        await using (var db = new MediaContext(node))
            _entities = await db.Media.AsNoTracking().ToListAsync(Token);
        await CompareAll(Count / 2, random => Compare(node, random));
        Assert.Equal(KindsOfPlans.Order(), _kindsSeen.Order());
    }

    async Task Compare(DatacakeNode node, Random random)
    {
        await using var db = new MediaContext(node);
        var generator = new RandomMediaQuery(random);
        Query<Medium> query = db.Media;
        IEnumerable<Medium> expected = _entities;
        if (random.Next(2) == 0)
            (query, expected) = Where(query, expected, generator.OfAll());
        switch (random.Next(6))
        {
            case 0:
                if (random.Next(2) == 0)
                    (query, expected) = Where(query, expected, generator.OfAll());
                expected = generator.OrderAll(ref query, expected);
                await Compare(random, query, expected);
                break;
            case 1:
                var (printed, expectedPrinted) = OfType<Printed>(query, expected);
                if (random.Next(3) > 0)
                    (printed, expectedPrinted) = Where(printed, expectedPrinted, generator.OfPrinted());
                expectedPrinted = generator.OrderPrinted(ref printed, expectedPrinted);
                await Compare(random, printed, expectedPrinted);
                Assert.Equal(
                    expectedPrinted.Max(p => (int?)p.Pages), await printed.MaxAsync(p => (int?)p.Pages, Token));
                break;
            case 2 or 3:
                var (books, expectedBooks) = OfType<Book>(query, expected);
                for (int i = random.Next(3); i > 0; i--)
                    (books, expectedBooks) = Where(books, expectedBooks, generator.OfBooks());
                expectedBooks = generator.OrderBooks(ref books, expectedBooks);
                Assert.Equal(
                    expectedBooks.Select(b => (b.Author, b.Cover?.Color, b.Year)),
                    await books.Select(b => ValueTuple.Create(b.Author, b.Cover == null ? null : b.Cover.Color, b.Year)).ToListAsync(Token));
                Assert.Equal(expectedBooks.Min(b => b.Author), await books.MinAsync(b => b.Author, Token));
                await Compare(random, books, expectedBooks);
                break;
            case 4:
                var (films, expectedFilms) = OfType<Film>(query, expected);
                if (random.Next(3) > 0)
                    (films, expectedFilms) = Where(films, expectedFilms, generator.OfFilms());
                expectedFilms = generator.OrderFilms(ref films, expectedFilms);
                await Compare(random, films, expectedFilms);
                break;
            default:
                var (rated, expectedRated) = OfType<IRated>(query, expected);
                (rated, expectedRated) = Where(rated, expectedRated, r => r.Rating > 0);
                Assert.Equal(expectedRated.Sum(r => r.Rating), await rated.SumAsync(r => r.Rating, Token));
                break;
        }
    }

    async Task Compare<T>(Random random, Query<T> query, IEnumerable<T> expected)
        where T : Medium
    {
        if (random.Next(3) == 0)
        {
            int skip = random.Next(4), take = random.Next(8);
            (query, expected) = (query.Skip(skip).Take(take), expected.Skip(skip).Take(take));
        }
        string plan = query.Explain();
        _kindsSeen.UnionWith(Kinds(plan));
        try
        {
            Assert.Equal(expected.Count(), await query.CountAsync(Token));
            Assert.Equal(expected.Select(m => m.Id), (await query.ToListAsync(Token)).Select(m => m.Id));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nPlan: {plan}", e);
        }
    }

    static IEnumerable<string> Kinds(string plan) => KindsOfPlans.Where(plan.Contains);

    static (Query<T>, IEnumerable<T>) OfType<T>(Query<Medium> query, IEnumerable<Medium> expected) => (query.OfType<T>(), expected.OfType<T>());

    static (Query<T>, IEnumerable<T>) Where<T>(Query<T> query, IEnumerable<T> expected, Expression<Func<T, bool>> predicate) =>
        (query.Where(predicate), expected.Where(predicate.Compile()));

    /// <summary>
    /// Stores entities of all classes. Some have changed their class, some have an unknown class, and some lack properties.
    /// </summary>
    static async Task FillAsync(DatacakeNode node)
    {
        const int count = 300;
        var random = new Random(0);
        await using var db = new MediaContext(node) { DefaultConsistency = Consistency.None };
        db.Media.AddRange(Enumerable.Range(0, count).Select(id => RandomMediaQuery.NewMedium(random, id)));
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        db.Media.UpdateRange(Enumerable.Range(0, count).Where(_ => random.Next(4) == 0).Select(id => RandomMediaQuery.NewMedium(random, id)));
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        db.Media.RemoveRange(Enumerable.Range(0, count).Where(_ => random.Next(10) == 0).Select(id => new Medium { Id = id }));
        await db.SaveChangesAsync(Token);

        var others = new Transaction();
        var value = new ValueWriter();
        for (int id = count; id < count + 40; id++)
        {
            var cells = new DocumentContentBuilder();
            Set("$type", writer => writer.WriteString(id % 2 == 0 ? "audiobook" : "book"));
            Set("Year", writer => writer.WriteInt64(2020 + (id % 5)));
            if (id % 2 == 0)
                Set("Pages", writer => writer.WriteInt64(5));
            others.Put("Media", db.Media.Model.FindKey([id])!.Value, cells.Build());

            void Set(string property, Action<ValueWriter> write)
            {
                value.Clear();
                write(value);
                cells.Set(DocumentPath.OfProperty(property).Encoded.Span, value.Written);
            }
        }
        await (await node.OpenStoreAsync(Token)).CommitAsync(others, Consistency.None, Token);
    }
}
