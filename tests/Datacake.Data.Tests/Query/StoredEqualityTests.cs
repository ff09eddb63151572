using System.Linq.Expressions;
using System.Net;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests that entities, converted values and bytes are compared by their stored values, with and without an index.</summary>
public sealed class StoredEqualityTests(StoreFixture store) : IAsyncLifetime
{
    readonly Email _email = new("Ann@b.c");
    readonly IPAddress _address = IPAddress.Parse("10.0.0.1");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await using var db = Context();
        for (int i = 1; i <= 9; i++)
        {
            bool isNull = i % 3 == 0;
            string email = i % 2 == 0 ? "ann@b.c" : "Ann@b.c";
            var account = new Account
            {
                Id = i,
                Email = isNull ? null : new(email),
                IndexedEmail = isNull ? null : new(email),
                Address = isNull ? null : IPAddress.Parse($"10.0.0.{i % 2}"),
                IndexedAddress = isNull ? null : IPAddress.Parse($"10.0.0.{i % 2}"),
                Share = isNull ? null : new(i),
                IndexedShare = isNull ? null : new(i),
                Photo = isNull ? null : [1, (byte)(i % 2)],
                IndexedPhoto = isNull ? null : [1, (byte)(i % 2)],
                Keys = [[(byte)i], [77]],
                IndexedKeys = [[(byte)i], [77]],
                Names = ["e\u0301", $"n{i}"],
                IndexedNames = ["e\u0301", $"n{i}"],
                OwnerId = i == 1 ? null : 1,
            };
            db.Accounts.Put(account);
            db.Links.Put(new Link { Left = i / 3, Right = i });
        }
        await db.SaveChangesAsync(Token);
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Entities_with_equal_keys_are_equal()
    {
        await using var db = Context();
        var third = new Account { Id = 3 };
        Account? none = null;
        List<Account> some = [third, new() { Id = 5 }, new() { Id = 500 }];
        Account[] array = [.. some];
        Assert.Equal([3L], await IdsAsync(db, a => a == third));
        Assert.Equal([3L], await IdsAsync(db, a => third == a));
        Assert.Equal([3L], await IdsAsync(db, a => a.Equals(third)));
        Assert.Equal([3L], await IdsAsync(db, a => Equals(a, third)));
        Assert.Equal([3L, 5], await IdsAsync(db, a => some.Contains(a)));
        Assert.Equal([3L, 5], await IdsAsync(db, a => array.Contains(a)));
        Assert.Equal([3L, 5], await IdsAsync(db, a => some.Where(s => s.Id > 0).Contains(a)));
        Assert.Equal([3L, 5], await IdsAsync(db, a => some.Any(s => s == a)));
        Assert.Equal([3L, 5], await IdsAsync(db, a => a.Id > 0 && (some.Contains(a) || a.Names.Count > 9)));
        Assert.Equal(8, (await IdsAsync(db, a => a != third)).Count);
        Assert.Empty(await IdsAsync(db, a => a == none));
        Assert.Equal(9, (await IdsAsync(db, a => a != none)).Count);
        Assert.Equal(9, (await IdsAsync(db, a => a != null)).Count);
        Assert.Equal("accounts: key lookup where Id = 3", db.Accounts.Where(a => a == third).Explain());
        Assert.StartsWith("accounts: key lookup where Id in (3, 5, 500)", db.Accounts.Where(a => some.Contains(a)).Explain(), StringComparison.Ordinal);
        Assert.Equal(1, await db.Accounts.CountAsync(a => a == third, Token));
        Assert.Equal([true], await db.Accounts.Where(a => a.Id == 3).Select(a => a == third).ToListAsync(Token));
    }

    [Fact]
    public async Task Entities_with_composite_keys_are_equal_if_all_key_parts_are()
    {
        await using var db = Context();
        var link = new Link { Left = 1, Right = 4 };
        List<Link> some = [link, new() { Left = 2, Right = 7 }, new() { Left = 2, Right = 5 }];
        Assert.Equal([(1L, 4L)], (await db.Links.Where(l => l == link).ToListAsync(Token)).Select(l => (l.Left, l.Right)));
        Assert.Equal([(1L, 4L), (2L, 7L)], (await db.Links.Where(l => some.Contains(l)).ToListAsync(Token)).Select(l => (l.Left, l.Right)));
        Assert.Equal(2, await db.Links.CountAsync(l => some.Contains(l), Token));
        Assert.Equal("links: key lookup where Left = 1 and Right = 4", db.Links.Where(l => l == link).Explain());
    }

    [Fact]
    public async Task Included_entities_with_equal_keys_are_equal()
    {
        await using var db = Context();
        var first = new Account { Id = 1 };
        var fourth = new Account { Id = 4 };
        Assert.Equal(8, (await db.Accounts.Include(a => a.Owner, a => a.OwnerId).Where(a => a.Owner == first).ToListAsync(Token)).Count);
        Assert.Equal(4, Assert.Single(await db.Links.Include(l => l.Account, l => l.Right).Where(l => l.Account == fourth).ToListAsync(Token)).Right);
        Assert.Single(await db.Accounts.Include(a => a.Owner, a => a.OwnerId).Where(a => a.Owner == null).ToListAsync(Token));
    }

    [Fact]
    public async Task Contains_uses_the_comparer_of_a_collection()
    {
        await using var db = Context();
        var odd = new HashSet<Account>(EqualityComparer<Account>.Create((a, b) => a?.Id % 2 == b?.Id % 2, a => (int)(a.Id % 2))) { new() { Id = 11 } };
        var byKey = new HashSet<Account> { new() { Id = 1 }, new() { Id = 2 } };
        Assert.Equal([1L, 3, 5, 7, 9], await IdsAsync(db, a => odd.Contains(a)));
        Assert.Equal([1L, 2], await IdsAsync(db, a => byKey.Contains(a)));
        var anyCase = new HashSet<Email>(EqualityComparer<Email>.Create((a, b) => a?.Text.Length == b?.Text.Length, a => a.Text.Length)) { new("1234567") };
        Assert.Equal(6, (await IdsAsync(db, a => anyCase.Contains(a.Email!))).Count);
        Assert.Equal(6, (await IdsAsync(db, a => anyCase.Contains(a.IndexedEmail!))).Count);
    }

    [Fact]
    public async Task Converted_values_are_equal_if_their_stored_values_are()
    {
        await using var db = Context();
        var email = _email;
        var address = _address;
        Email? none = null;
        List<Email> emails = [email];
        IPAddress[] addresses = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2")];
        var share = new Share(3);
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => a.Email == email, a => a.IndexedEmail == email));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => a.Email!.Equals(email), a => a.IndexedEmail!.Equals(email)));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => Equals(a.Email, email), a => Equals(a.IndexedEmail, email)));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => emails.Contains(a.Email!), a => emails.Contains(a.IndexedEmail!)));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => emails.Any(e => e == a.Email), a => emails.Any(e => e == a.IndexedEmail)));
        Assert.Equal([2L, 3, 4, 6, 8, 9], await BothAsync(db, a => a.Email != email, a => a.IndexedEmail != email));
        Assert.Equal([3L, 6, 9], await BothAsync(db, a => a.Email == none, a => a.IndexedEmail == none));
        Assert.Equal([3L, 6, 9], await BothAsync(db, a => a.Email == null, a => a.IndexedEmail == null));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => a.Address == address, a => a.IndexedAddress == address));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => addresses.Contains(a.Address), a => addresses.Contains(a.IndexedAddress)));
        // 3 % is stored as 0, like the shares of these accounts.
        Assert.Equal([1L, 2, 4, 5, 7, 8], await BothAsync(db, a => a.Share == share, a => a.IndexedShare == share));
        Assert.Equal([1L, 2, 4, 5, 7, 8], await BothAsync(db, a => a.Share!.Value == share, a => a.IndexedShare!.Value == share));
        Assert.Equal([1L, 2, 4, 5, 7, 8, 9, 3, 6], await db.Accounts.Where(a => a.Email == a.IndexedEmail).OrderBy(a => a.Email == null).ThenBy(a => a.Id % 9 == 0 ? 0 : a.Id).Select(a => a.Id)
            .ToListAsync(Token));
        Assert.Equal("accounts: index IndexedEmail where IndexedEmail = Datacake.Data.Tests.Query.Email", db.Accounts.Where(a => a.IndexedEmail == email).Explain());
    }

    [Fact]
    public async Task Bytes_are_equal_by_their_content()
    {
        await using var db = Context();
        byte[] photo = [1, 1];
        byte[][] photos = [photo, [1, 5]];
        byte[] key = [4];
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => a.Photo == photo, a => a.IndexedPhoto == photo));
        Assert.Equal([1L, 5, 7], await BothAsync(db, a => photos.Contains(a.Photo), a => photos.Contains(a.IndexedPhoto)));
        Assert.Equal([2L, 3, 4, 6, 8, 9], await BothAsync(db, a => a.Photo != photo, a => a.IndexedPhoto != photo));
        Assert.Equal([4L], await BothAsync(db, a => a.Keys.Contains(key), a => a.IndexedKeys.Contains(key)));
    }

    [Fact]
    public async Task Sorted_set_of_strings_compares_elements_by_ordinal()
    {
        await using var db = Context();
        // The two strings are equal in a culture, but have different characters.
        Assert.Empty(await BothAsync(db, a => a.Names.Contains("\u00E9"), a => a.IndexedNames.Contains("\u00E9")));
        Assert.Equal(9, (await BothAsync(db, a => a.Names.Contains("e\u0301"), a => a.IndexedNames.Contains("e\u0301"))).Count);
    }

    static async Task<List<long>> IdsAsync(AccountContext db, Expression<Func<Account, bool>> condition) =>
        [.. (await db.Accounts.Where(condition).ToListAsync(Token)).Select(a => a.Id)];

    static async Task<List<long>> BothAsync(AccountContext db, Expression<Func<Account, bool>> withoutIndex, Expression<Func<Account, bool>> withIndex)
    {
        var ids = await IdsAsync(db, withoutIndex);
        Assert.Equal(ids, await IdsAsync(db, withIndex));
        Assert.Equal(ids.Count, await db.Accounts.CountAsync(withIndex, Token));
        return ids;
    }

    AccountContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}
