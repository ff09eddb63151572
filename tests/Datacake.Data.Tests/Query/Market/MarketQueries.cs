using System.Runtime.CompilerServices;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>A query of the suite: its source text, and delegates that run it on a store and in memory.</summary>
public sealed record MarketQuery(string Name, Func<MarketSources, Task<object?>> OnStore, Func<MarketSources, object?> InMemory, Func<MarketSources, string> Plan);

/// <summary>The queries of the suite, each with several terminal operators.</summary>
public sealed partial class MarketQueries
{
    public List<MarketQuery> All { get; } = [];

    public MarketQueries()
    {
        AddSimple();
        AddProjections();
        AddGroups();
        AddJoins();
        AddFlattened();
        AddCombined();
    }

    /// <summary>Adds a query, with the terminal operators that apply to every query.</summary>
    void Add<T>(Func<MarketSources, IQueryable<T>> query, [CallerArgumentExpression(nameof(query))] string name = "")
    {
        Variant("", q => q.ToListAsync(), q => q.ToList());
        Variant(".Count()", q => q.CountAsync(), q => q.Count());
        Variant(".Any()", q => q.AnyAsync(), q => q.Any());
        Variant(".FirstOrDefault()", q => q.FirstOrDefaultAsync(), q => q.FirstOrDefault());
        Variant(".LastOrDefault()", q => q.LastOrDefaultAsync(), q => q.LastOrDefault());
        Variant(".ElementAtOrDefault(2)", q => q.ElementAtOrDefaultAsync(2), q => q.ElementAtOrDefault(2));
        Variant(".Single()", q => q.SingleAsync(), q => q.Single());
        Composed(".Skip(2).Take(3)", q => q.Skip(2).Take(3));
        Composed(".Take(4).Skip(1)", q => q.Take(4).Skip(1));
        Composed(".Reverse()", q => q.Reverse());
        Composed(".Reverse().Skip(1).Take(2)", q => q.Reverse().Skip(1).Take(2));
        Composed(".TakeLast(3)", q => q.TakeLast(3));
        Composed(".SkipLast(3)", q => q.SkipLast(3));
        Composed(".Chunk(4)", q => q.Chunk(4));
        Composed(".Index().Take(3)", q => q.Index().Take(3));
        Variant(".Skip(1).Count()", q => q.Skip(1).CountAsync(), q => q.Skip(1).Count());

        void Composed<TResult>(string what, Func<IQueryable<T>, IQueryable<TResult>> compose) =>
            Variant(what, q => compose(q).ToListAsync(), q => compose(q).ToList());

        void Variant<TResult>(string what, Func<IQueryable<T>, Task<TResult>> onStore, Func<IQueryable<T>, object?> inMemory) => All.Add(new MarketQuery(
            name + what, async sources => await onStore(query(sources)), sources => inMemory(query(sources)), sources => query(sources).Explain()));
    }

    /// <summary>Adds a query that returns a single value.</summary>
    void AddValue<T, TResult>(
        Func<MarketSources, IQueryable<T>> query, Func<IQueryable<T>, Task<TResult>> onStore, Func<IQueryable<T>, TResult> inMemory,
        [CallerArgumentExpression(nameof(query))] string name = "", [CallerArgumentExpression(nameof(inMemory))] string what = "") => All.Add(new MarketQuery(
            $"{name} {what}", async sources => await onStore(query(sources)), sources => inMemory(query(sources)), sources => query(sources).Explain()));
}
