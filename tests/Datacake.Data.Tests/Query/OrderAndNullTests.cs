using System.Globalization;
using System.Linq.Expressions;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests that orders and nulls behave the same with an index, without one, and in every culture.</summary>
public sealed class OrderAndNullTests(StoreFixture store)
{
    [Theory]
    [InlineData("")]
    [InlineData("sv-SE")]
    public async Task Strings_are_ordered_ordinally_whatever_the_static_type_of_the_key(string culture)
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        try
        {
            await using var db = await FilledAsync();
            string[] expected = [.. Cities.OfType<string>().Order(StringComparer.Ordinal)];
            Expression<Func<Town, object?>> asObject = town => town.City;
            Expression<Func<Town, IComparable?>> asComparable = town => town.City;
            Expression<Func<Town, object?>> indexed = town => town.IndexedCity;
            Assert.Equal(expected, (await db.Towns.Where(t => t.City != null).OrderBy(asObject).ToListAsync(Token)).Select(t => t.City));
            Assert.Equal(expected, (await db.Towns.Where(t => t.City != null).OrderBy(asComparable).ToListAsync(Token)).Select(t => t.City));
            Assert.Equal(expected, (await db.Towns.Where(t => t.City != null).OrderBy(indexed).ToListAsync(Token)).Select(t => t.City));
            Assert.Equal(expected[0], await db.Towns.Where(t => t.City != null).MinAsync(asObject, Token));
            Assert.Equal(
                Cities.OfType<string>().Count(city => string.CompareOrdinal(city, "a") > 0),
                await db.Towns.CountAsync(t => t.City != null && t.City.CompareTo((object)"a") > 0, Token));
            // A culture-sensitive search would ignore the soft hyphen and find Åre.
            Assert.Equal(0, await db.Towns.CountAsync(t => t.City != null && t.City.Length > 1 && t.City.IndexOf("r\u00ADe", 1) >= 0, Token));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public async Task Second_OrderBy_is_stable()
    {
        await using var db = await FilledAsync();
        var all = await db.Towns.ToListAsync(Token);
        Assert.Equal(
            all.OrderByDescending(t => t.Id).OrderBy(t => t.Rank ?? -1).Select(t => t.Id),
            (await db.Towns.OrderByDescending(t => t.Id).OrderBy(t => t.Rank ?? -1).ToListAsync(Token)).Select(t => t.Id));
        Assert.Equal(
            all.OrderByDescending(t => t.Id).OrderBy(t => t.IndexedRank).Take(3).Select(t => t.Id),
            (await db.Towns.OrderByDescending(t => t.Id).OrderBy(t => t.IndexedRank).Take(3).ToListAsync(Token)).Select(t => t.Id));
    }

    [Fact]
    public async Task Conditions_on_null_are_false_with_and_without_an_index()
    {
        await using var db = await FilledAsync();
        int[] ranks = [1, 2];
        int[]? none = null;
        Assert.Equal(await CountAsync(t => t.IndexedCity!.StartsWith("ab")), await CountAsync(t => t.City!.StartsWith("ab")));
        Assert.Equal(2, await CountAsync(t => t.City!.EndsWith("re")));
        Assert.Equal(2, await CountAsync(t => t.City!.Contains("re")));
        Assert.Equal(await CountAsync(t => t.IndexedRank!.Value == 1), await CountAsync(t => t.Rank!.Value == 1));
        Assert.Equal(await CountAsync(t => t.IndexedRank!.Value > 1), await CountAsync(t => t.Rank!.Value > 1));
        Assert.Equal(await CountAsync(t => ranks.Contains(t.IndexedRank!.Value)), await CountAsync(t => ranks.Contains(t.Rank!.Value)));
        Assert.Equal(0, await CountAsync(t => none!.Contains(t.Number)));
        Assert.Equal(0, await CountAsync(t => none!.Contains(t.IndexedNumber)));
        // All other expressions behave as in C#.
        await Assert.ThrowsAsync<InvalidOperationException>(() => CountAsync(t => t.City!.Length == 3));

        Task<int> CountAsync(Expression<Func<Town, bool>> condition) => db.Towns.CountAsync(condition, Token);
    }

    [Fact]
    public async Task Conditions_on_a_null_value_are_false_whatever_the_compiler_converts_it_to()
    {
        await using var db = await FilledAsync();
        Grade[] grades = [Grade.Good];
        long[] numbers = [1];
        short small = 1;
        Assert.Equal(3, await CountAsync(t => t.Grade!.Value == Grade.Good));
        Assert.Equal(await CountAsync(t => t.IndexedGrade!.Value == Grade.Good), await CountAsync(t => t.Grade!.Value == Grade.Good));
        Assert.Equal(await CountAsync(t => t.IndexedGrade!.Value > Grade.Good), await CountAsync(t => t.Grade!.Value > Grade.Good));
        Assert.Equal(await CountAsync(t => grades.Contains(t.IndexedGrade!.Value)), await CountAsync(t => grades.Contains(t.Grade!.Value)));
        Assert.Equal(await CountAsync(t => t.IndexedGrade!.Value.Equals(Grade.Good)), await CountAsync(t => t.Grade!.Value.Equals(Grade.Good)));
        Assert.Equal(await CountAsync(t => t.IndexedRank!.Value.CompareTo(1) > 0), await CountAsync(t => t.Rank!.Value.CompareTo(1) > 0));
        Assert.Equal(await CountAsync(t => t.IndexedRank!.Value.Equals(1)), await CountAsync(t => t.Rank!.Value.Equals(1)));
        Assert.Equal(await CountAsync(t => t.IndexedCity!.Equals("ab", StringComparison.Ordinal)), await CountAsync(t => t.City!.Equals("ab", StringComparison.Ordinal)));
        Assert.Equal(3, await CountAsync(t => t.Rank!.Value == 1m));
        Assert.Equal(3, await CountAsync(t => t.Rank!.Value > 1.5));
        Assert.Equal(3, await CountAsync(t => numbers.Contains(t.Rank!.Value)));
        Assert.Equal((int[])[3, 3, 3, 3, 3], (int[])[
            await CountAsync(t => t.SmallRank!.Value == small), await CountAsync(t => t.ByteRank!.Value == 1), await CountAsync(t => t.UnsignedSmallRank!.Value == 1u),
            await CountAsync(t => t.SignedByteRank!.Value == 1L), await CountAsync(t => t.LetterRank!.Value == 'b')]);
        Assert.Equal((int[])[3, 3, 3, 3, 3], (int[])[
            await CountAsync(t => t.SmallRank!.Value > small), await CountAsync(t => t.ByteRank!.Value > 1), await CountAsync(t => 1 < t.UnsignedSmallRank!.Value),
            await CountAsync(t => t.SignedByteRank!.Value > 1), await CountAsync(t => t.LetterRank!.Value > 'b')]);
        // Null differs from every value, as it does for int?.
        Assert.Equal(7, await CountAsync(t => t.Grade!.Value != Grade.Good));

        Task<int> CountAsync(Expression<Func<Town, bool>> condition) => db.Towns.CountAsync(condition, Token);
    }

    [Fact]
    public async Task OrderBy_of_a_type_without_an_order_is_refused_and_named()
    {
        await using var db = await FilledAsync();
        var refusal = Assert.Throws<InvalidOperationException>(() => db.Towns.OrderBy(t => t.Photo));
        Assert.Equal("The query cannot be ordered by 't.Photo', because Byte[] has no order. Order by a property that has one, or implement IComparable<T> in the type.", refusal.Message);
        Assert.Throws<InvalidOperationException>(() => db.Towns.OrderBy(t => t.Id).ThenByDescending(t => t.Photo));
        // Derived classes may have an order, so for a class that is not sealed the query fails only when it reads an entity.
        var late = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Towns.OrderBy(t => t.Districts).ToListAsync(Token));
        Assert.Contains("ordered by", late.Message, StringComparison.Ordinal);
        Assert.Contains("t.Districts", late.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Towns.MaxAsync(t => t.Photo, Token));
    }

    [Fact]
    public async Task Local_time_is_refused_and_named()
    {
        await using var db = new TownContext(store.Node) { DefaultConsistency = Consistency.None };
        db.Towns.Add(new Town { Id = 100, Founded = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Local) });
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("Founded of the Town 100", exception.Message, StringComparison.Ordinal);
        Assert.Contains("kind Local", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Length_of_every_collection_is_checked()
    {
        await using var db = new TownContext(store.Node) { DefaultConsistency = Consistency.None };
        db.Towns.Add(new Town { Id = 101, Districts = ["a", "b", "c"] });
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal("Districts", Assert.Single(exception.Errors).Property);
    }

    static readonly string?[] Cities = ["a", "B", "b", "Åre", "åre", "z", "e\u0301", "é", null, "ab"];

    async Task<TownContext> FilledAsync()
    {
        var db = new TownContext(store.Node) { DefaultConsistency = Consistency.None };
        db.Towns.PutRange(Cities.Select((city, i) => new Town
        {
            Id = i + 1,
            City = city,
            IndexedCity = city,
            Rank = i % 3 == 0 ? null : i % 3,
            IndexedRank = i % 3 == 0 ? null : i % 3,
            Number = i,
            IndexedNumber = i,
            Grade = i % 3 == 0 ? null : (Grade)(i % 3),
            IndexedGrade = i % 3 == 0 ? null : (Grade)(i % 3),
            SmallRank = i % 3 == 0 ? null : (short)(i % 3),
            ByteRank = i % 3 == 0 ? null : (byte)(i % 3),
            UnsignedSmallRank = i % 3 == 0 ? null : (ushort)(i % 3),
            SignedByteRank = i % 3 == 0 ? null : (sbyte)(i % 3),
            LetterRank = i % 3 == 0 ? null : (char)('a' + (i % 3)),
        }));
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        return db;
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}

public enum Grade
{
    None,
    Good,
    Best,
}

public sealed class Town
{
    public long Id { get; set; }
    public string? City { get; set; }
    [Index] public string? IndexedCity { get; set; }
    public int? Rank { get; set; }
    [Index] public int? IndexedRank { get; set; }
    public int Number { get; set; }
    [Index] public int IndexedNumber { get; set; }
    public Grade? Grade { get; set; }
    [Index] public Grade? IndexedGrade { get; set; }
    public short? SmallRank { get; set; }
    public byte? ByteRank { get; set; }
    public ushort? UnsignedSmallRank { get; set; }
    public sbyte? SignedByteRank { get; set; }
    public char? LetterRank { get; set; }
    [Index] public byte[] Photo { get; set; } = [];
    public DateTime Founded { get; set; }
    [System.ComponentModel.DataAnnotations.MaxLength(2)] public HashSet<string> Districts { get; set; } = [];
}

public sealed partial class TownContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Town> Towns { get; }
}
