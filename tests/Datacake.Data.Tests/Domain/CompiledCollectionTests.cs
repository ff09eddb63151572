using Datacake.Domain;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Domain;

/// <summary>Tests of collections of compiled classes: private fields of many types, and lazy creation as in older Entity Framework code.</summary>
public sealed class CompiledCollectionTests : IAsyncLifetime
{
    // These tests need their own store, because other tests use the same keyspace names.
    readonly StoreFixture _store = new();

    public ValueTask InitializeAsync() => _store.InitializeAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Collection_fields_of_all_types_are_read_back_with_their_comparers()
    {
        await using (var db = Context())
        {
            var library = new Library(1);
            library.Describe(1990, "b", 3, "red");
            library.Describe(2010, "a", 1, "blue");
            library.Tag("Old");
            library.Teach("Art");
            library.Names.Add("Main");
            db.Libraries.Add(library);
            await db.SaveChangesAsync(Token);
        }
        await using (var db = Context())
        {
            var library = await db.Libraries.SingleAsync(l => l.Id == 1, Token);
            Assert.Equal([2010, 1990], library.Years);
            Assert.Equal(["a", "b"], library.Codes.Order());
            Assert.Equal([3, 1], library.Sizes);
            Assert.Equal(["blue", "red"], library.Words.Order());
            Assert.Equal(["blue", "red"], library.Counts.Keys);
            Assert.Equal(["Main"], library.Names);
            Assert.False(library.Tag("OLD"));
            Assert.False(library.Teach("ART"));
            Assert.False(db.ChangeTracker.HasChanges());
            library.Describe(2000, "a", 2, "red");
            Assert.Equal(["a", "b"], library.Codes.Order());
        }
    }

    [Fact]
    public async Task Related_entities_are_included_in_fields_of_all_types()
    {
        await using (var db = Context())
        {
            var library = new Library(2);
            library.Own(new Book(21, "One", library));
            library.Own(new Book(22, "Two", null));
            library.Admit(new Reader(23));
            library.Lend(new Loan(24));
            library.Shelves.Add(new Shelf(25));
            db.Libraries.Add(library);
            Assert.Equal(6, await db.SaveChangesAsync(Token));
        }
        await using (var db = Context())
        {
            var library = await db.Libraries.Include(l => l.Books).Include(l => l.Readers).Include(l => l.Loans).Include(l => l.Shelves).SingleAsync(l => l.Id == 2, Token);
            Assert.Equal(["One", "Two"], library.Books.Select(book => book.Title).Order());
            Assert.All(library.Books, book => Assert.Same(library, book.Library));
            Assert.Equal((23, 24, 25), (Assert.Single(library.Readers).Id, Assert.Single(library.Loans).Id, Assert.Single(library.Shelves).Id));
            Assert.False(library.Lend(library.Loans.First()));
            Assert.False(db.ChangeTracker.HasChanges());
            library.Own(new Book(26, "Three", null));
            Assert.Equal(1, await db.SaveChangesAsync(Token));
        }
        await using (var db = Context())
            Assert.Equal(2, (await db.Books.Include(b => b.Library).SingleAsync(b => b.Id == 26, Token)).Library?.Id);
    }

    [Fact]
    public async Task Lazily_created_lists_are_included_and_stored()
    {
        await using (var db = new CabinetContext(_store.Node) { DefaultConsistency = Consistency.None })
        {
            var cabinet = new Cabinet { Id = 3 };
            cabinet.Drawers.Add(new Drawer { Id = 31 });
            cabinet.Names.Add("big");
            cabinet.Colors.Add("red");
            db.Cabinets.Add(cabinet);
            await db.SaveChangesAsync(Token);
        }
        await using (var db = new CabinetContext(_store.Node))
        {
            var cabinet = await db.Cabinets.Include(c => c.Drawers).SingleAsync(c => c.Id == 3, Token);
            Assert.Equal((31, "big", "red"), (Assert.Single(cabinet.Drawers).Id, Assert.Single(cabinet.Names), Assert.Single(cabinet.Colors)));
            Assert.Same(cabinet, cabinet.Drawers.First().Cabinet);
        }
    }

    [Fact]
    public void All_missing_members_are_reported_at_once()
    {
        string message = Assert.Throws<InvalidOperationException>(() => new MissingContext(_store.Node).Accounts.ToString()).Message;
        Assert.Contains("The property FullName of Account, a class of the assembly Datacake.Domain, has no setter, is not an auto-property, and has no field _fullName of type string.", message, StringComparison.Ordinal);
        Assert.Contains("The property ItemCount of Basket", message, StringComparison.Ordinal);
        Assert.Contains("The property HasItems of Basket", message, StringComparison.Ordinal);
        Assert.Contains("no field _items of type IReadOnlyCollection<string>, List<string>, HashSet<string>, SortedSet<string>, IList<string>, ISet<string> or ICollection<string>.", message, StringComparison.Ordinal);
        Assert.Contains("The class Basket of the assembly Datacake.Domain has no parameterless constructor.", message, StringComparison.Ordinal);
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => new MissingContext(_store.Node).Baskets.ToString()).Message);
    }

    LibraryContext Context() => new(_store.Node) { DefaultConsistency = Consistency.None };
}

public sealed partial class LibraryContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Library> Libraries { get; }

    public partial Keyspace<Book> Books { get; }

    public partial Keyspace<Reader> Readers { get; }

    public partial Keyspace<Loan> Loans { get; }

    public partial Keyspace<Shelf> Shelves { get; }
}

public sealed partial class MissingContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("MissingAccounts")]
    public partial Keyspace<Account> Accounts { get; }

    public partial Keyspace<Basket> Baskets { get; }
}

public sealed partial class CabinetContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Cabinet> Cabinets { get; }

    public partial Keyspace<Drawer> Drawers { get; }
}

public class Cabinet
{
    List<Drawer>? _drawers;
    ICollection<string>? _names;
    List<string>? _colors;

    public long Id { get; set; }

    public virtual ICollection<Drawer> Drawers => _drawers ??= new List<Drawer>();

    public ICollection<string> Names => _names ?? (_names = new List<string>());

    public IList<string> Colors => _colors ??= [];
}

public class Drawer
{
    Cabinet? _cabinet;

    public long Id { get; set; }

    public long CabinetId { get; set; }

    public Cabinet? Cabinet => _cabinet;

    public void Leave() => _cabinet = null;
}
