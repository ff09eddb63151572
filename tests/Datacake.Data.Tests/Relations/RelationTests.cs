using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Relations;

public class RelationTests(StoreFixture store)
{
    static long _lastId;

    readonly long _first = Interlocked.Add(ref _lastId, 1_000);

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Included_references_to_the_same_entity_are_one_instance()
    {
        await using var db = await Filled();
        var books = await db.Books.Include(b => b.Author, b => b.AuthorId).Include(b => b.Editor, b => b.EditorId)
            .Where(b => b.Id > _first && b.Id < _first + 100).OrderBy(b => b.Title).ToListAsync(Token);
        Assert.Equal(["A1", "A2", "B1"], books.Select(b => b.Title));
        Assert.Equal(["Ann", "Ann", "Bob"], books.Select(b => b.Author?.Name));
        Assert.Equal(["Bob", null, null], books.Select(b => b.Editor?.Name));
        Assert.Same(books[0].Author, books[1].Author);
        Assert.Same(books[0].Editor, books[2].Author);
        Assert.Equal(5, db.ChangeTracker.Entries().Count);
        Assert.False(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task Collections_are_included_by_an_index()
    {
        await using var db = await Filled();
        var query = db.Authors.IncludeMany(a => a.Books, b => b.AuthorId).Where(a => a.Id > _first && a.Id < _first + 100).AsNoTracking();
        Assert.Contains("include Books by AuthorId", query.Explain(), StringComparison.Ordinal);
        for (int run = 0; run < 2; run++)
        {
            var authors = await query.ToListAsync(Token);
            Assert.Equal(["Ann: A1 A2", "Bob: B1", "Cid: "], authors.Select(a => $"{a.Name}: {string.Join(' ', a.Books.Select(b => b.Title))}"));
        }
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(3, await query.CountAsync(Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nested_includes_are_loaded(bool isTracking)
    {
        await using var db = await Filled();
        var query = db.Authors
            .IncludeMany(a => a.Books, b => b.AuthorId).ThenInclude(b => b.Editor, b => b.EditorId).ThenIncludeMany(e => e.Books, b => b.AuthorId)
            .IncludeMany(a => a.Books, b => b.AuthorId).ThenIncludeMany(b => b.Reviews, r => r.BookId)
            .Where(a => a.Id > _first && a.Id < _first + 3).OrderByDescending(a => a.Name);
        Assert.EndsWith(
            "; include Books by AuthorId (include Editor by key (include Books by AuthorId); include Reviews by BookId)", query.Explain(), StringComparison.Ordinal);
        var authors = await (isTracking ? query : query.AsNoTracking()).ToListAsync(Token);
        Assert.Equal(
            ["Bob: B1 bad", "Ann: A1 by Bob (B1) good, A2"],
            authors.Select(a => $"{a.Name}: {string.Join(", ", a.Books.Select(Describe))}"));
        Assert.Equal(isTracking ? 7 : 0, db.ChangeTracker.Entries().Count);

        static string Describe(Book book) => string.Join(
            ' ',
            (string[])[
                book.Title, .. book.Editor is { } editor ? (string[])[$"by {editor.Name} ({string.Join(' ', editor.Books.Select(b => b.Title))})"] : [],
                .. book.Reviews.Select(review => review.Text)]);
    }

    [Fact]
    public async Task ThenBy_can_follow_an_include()
    {
        await using var db = await Filled();
        var mine = db.Books.Where(b => b.Id > _first && b.Id < _first + 100);
        var unordered = mine.Include(b => b.Author, b => b.AuthorId).ThenByDescending(b => b.Title);
        Assert.Equal(["B1", "A2", "A1"], await unordered.Select(b => b.Title).ToListAsync(Token));
        var ordered = mine.OrderByDescending(b => b.AuthorId).Include(b => b.Author, b => b.AuthorId).ThenBy(b => b.Title);
        Assert.Equal(["B1", "A1", "A2"], await ordered.Select(b => b.Title).ToListAsync(Token));
    }

    [Fact]
    public async Task Reference_to_a_missing_entity_is_null()
    {
        await using var db = await Filled();
        db.Books.Add(new Book { Id = _first + 50, AuthorId = _first + 99, Author = new Author() });
        await db.SaveChangesAsync(Token);
        var book = await db.Books.Include(b => b.Author, b => b.AuthorId).SingleAsync(b => b.Id == _first + 50, Token);
        Assert.Null(book.Author);
    }

    [Fact]
    public async Task Conditions_and_orders_can_use_included_entities()
    {
        await using var db = await Filled();
        var books = db.Books.Include(b => b.Author, b => b.AuthorId).Include(b => b.Editor, b => b.EditorId)
            .Where(b => b.Id > _first && b.Id < _first + 100);
        Assert.Equal(["A1", "A2"], await books.Where(b => b.Author!.Name == "Ann").Select(b => b.Title).ToListAsync(Token));
        Assert.Equal(1, await books.CountAsync(b => b.Editor != null && b.Editor.Name == "Bob", Token));
        Assert.Equal(["B1", "A1", "A2"], await books.OrderByDescending(b => b.Author!.Name).ThenBy(b => b.Title).Select(b => b.Title).ToListAsync(Token));
        Assert.Equal(
            ["A2", "A1", "B1"],
            await books.OrderBy(b => b.AuthorId).ThenBy(b => b.Editor == null ? "" : b.Editor.Name).Select(b => b.Title).ToListAsync(Token));
    }

    [Fact]
    public async Task Conditions_and_orders_can_use_members_that_read_included_entities()
    {
        await using var db = await Filled();
        var books = db.Books.Include(b => b.Author, b => b.AuthorId).Where(b => b.Id > _first && b.Id < _first + 100);
        Assert.Equal(["A1", "A2"], await books.Where(b => b.AuthorName == "Ann").Select(b => b.Title).ToListAsync(Token));
        Assert.Equal(["B1"], await books.Where(b => b.IsBy("Bob")).Select(b => b.Title).ToListAsync(Token));
        Assert.Equal(1, await books.CountAsync(b => b.IsBy("Bob"), Token));
        Assert.Equal(["B1", "A1", "A2"], await books.OrderByDescending(b => b.AuthorName).ThenBy(b => b.Title).Select(b => b.Title).ToListAsync(Token));
        // A condition on stored properties is still checked before anything is included.
        Assert.EndsWith("; include Author by key", books.Where(b => b.Title == "A1").Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_equals_the_length_of_the_list_if_instances_matter_and_tracks_nothing()
    {
        await using var db = await Filled();
        var authors = db.Books.Include(b => b.Author, b => b.AuthorId).Where(b => b.Id > _first && b.Id < _first + 100).Select(b => b.Author!).Distinct();
        Assert.Equal(2, await authors.CountAsync(Token));
        Assert.Equal(2 * _first, await authors.SumAsync(a => a.Id - (a.Name == "Ann" ? 1 : 2), Token));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(2, (await authors.ToListAsync(Token)).Count);

        var ann = (await authors.ToListAsync(Token)).Single(a => a.Name == "Ann");
        var hers = db.Books.Include(b => b.Author, b => b.AuthorId).Where(b => b.Id > _first && b.Id < _first + 100).Where(b => b.Author == ann);
        Assert.Equal(2, (await hers.ToListAsync(Token)).Count);
        Assert.Equal(2, await hers.CountAsync(Token));
        Assert.True(await hers.AnyAsync(Token));
    }

    [Fact]
    public async Task Foreign_key_that_cannot_hold_the_key_is_refused_and_named()
    {
        await using var db = store.NewContext();
        var composite = Assert.Throws<InvalidOperationException>(() => db.OrderLines.IncludeMany(l => new List<Product>(), p => p.Name));
        Assert.Contains("The key of OrderLine has several properties", composite.Message, StringComparison.Ordinal);
        var other = Assert.Throws<InvalidOperationException>(() => db.Products.IncludeMany(p => new List<Ticket>(), t => t.Version));
        Assert.Contains("'t => t.Version' is of type Int32, but the key Id of Product", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Include_is_refused_on_queries_that_do_not_return_entities()
    {
        await using var db = await Filled();
        Assert.Throws<InvalidOperationException>(() => db.Books.Distinct().Include(b => b.Author, b => b.AuthorId));
        Assert.Throws<ArgumentException>(() => db.Books.Include(b => b.Author!.Name, b => b.AuthorId).Include(b => b.ToString(), b => b.AuthorId));
    }

    [Fact]
    public async Task Delete_removes_dependents_in_the_same_transaction()
    {
        await using var db = await Filled();
        var ann = (await db.Authors.FindAsync([_first + 1], Token))!;
        var moved = (await db.Books.FindAsync([_first + 2], Token))!;
        moved.AuthorId = _first + 3;
        db.Books.Add(new Book { Id = _first + 20, AuthorId = ann.Id });
        db.Authors.Remove(ann);
        // Deletes the author, one book and its review, and updates the book that moved to another author. The new book is not written.
        Assert.Equal(4, await db.SaveChangesAsync(Token));
        await using var other = NewContext();
        Assert.Equal([_first + 2, _first + 3], await other.Books.Where(b => b.Id > _first && b.Id < _first + 100).Select(b => b.Id).ToListAsync(Token));
        Assert.Equal(0, await other.Reviews.CountAsync(r => r.BookId == _first + 1, Token));
        Assert.Equal(1, await other.Reviews.CountAsync(r => r.BookId == _first + 3, Token));
    }

    [Fact]
    public async Task Failed_delete_leaves_its_dependents_unchanged()
    {
        await using var db = await Filled();
        var ann = (await db.Authors.FindAsync([_first + 1], Token))!;
        var added = new Book { Id = _first + 20, AuthorId = ann.Id };
        db.Books.Add(added);
        db.Authors.Remove(ann);
        var before = db.ChangeTracker.Entries().Select(entry => (entry.Entity, entry.State)).ToList();
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
        Assert.Equal(before, db.ChangeTracker.Entries().Select(entry => (entry.Entity, entry.State)));
        Assert.Same(added, await db.Books.FindAsync([added.Id], Token));
        Assert.Equal(4, await db.SaveChangesAsync(Token));
    }

    LibraryContext NewContext() => new(store.Node) { DefaultConsistency = Consistency.None };

    async Task<LibraryContext> Filled()
    {
        var db = NewContext();
        db.Authors.AddRange(new Author { Id = _first + 1, Name = "Ann" }, new Author { Id = _first + 2, Name = "Bob" }, new Author { Id = _first + 3, Name = "Cid" });
        db.Books.AddRange(
            new Book { Id = _first + 1, AuthorId = _first + 1, EditorId = _first + 2, Title = "A1" },
            new Book { Id = _first + 2, AuthorId = _first + 1, Title = "A2" },
            new Book { Id = _first + 3, AuthorId = _first + 2, Title = "B1" });
        db.Reviews.AddRange(new Review { BookId = _first + 1, Text = "good" }, new Review { BookId = _first + 3, Text = "bad" });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        return db;
    }
}
