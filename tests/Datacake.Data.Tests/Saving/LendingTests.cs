using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of entries and messages that a user of Entity Framework Core expects.</summary>
public class LendingTests : LendingStore
{
    [Fact]
    public async Task Entry_detects_changes_of_its_entity_and_their_reversal()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        var book = new Book("b") { Id = 5, AuthorId = 1 };
        db.Add(book);
        await db.SaveChangesAsync(Token);
        book.Pages++;
        Assert.Equal(EntityState.Modified, db.Entry(book).State);
        Assert.Equal(EntityState.Modified, db.LentBooks.Entry(book).State);
        book.Pages--;
        Assert.Equal(EntityState.Unchanged, db.Entry((object)book).State);
        book.Pages++;
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        Assert.Equal(EntityState.Unchanged, db.Entry(book).State);
        db.ChangeTracker.AutoDetectChangesEnabled = true;
        db.Entry(book).State = EntityState.Modified;
        book.Pages--;
        Assert.Equal(EntityState.Modified, db.Entry(book).State);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Restricted_orphan_is_refused_with_the_reason_for_its_delete()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        var book = new Book("lent") { Id = 5, Author = new Author { Id = 1 } };
        db.AddRange(book, new Loan { BookId = 5 });
        await db.SaveChangesAsync(Token);
        book.Author = null!;
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.StartsWith(
            "The Book 5 has lost its Author and is deleted for that, because AuthorId cannot be null. The Book 5 cannot be deleted, because the Loan", exception.Message,
            StringComparison.Ordinal);
        db.ChangeTracker.Clear();
        db.Remove((await db.LentBooks.FindAsync([5L], Token))!);
        exception = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.StartsWith("The Book 5 cannot be deleted, because the Loan", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entries_of_a_generic_class_without_a_keyspace_names_it_in_CSharp_syntax()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        var exception = Assert.Throws<InvalidOperationException>(() => db.ChangeTracker.Entries<List<Guid>>());
        Assert.Contains("has no Keyspace<List<Guid>>", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_that_is_too_large_is_refused_and_entity_that_is_too_large_is_named()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.AddRange(new Author { Id = 1, Name = new string('a', 7 << 20) }, new Author { Id = 2, Name = new string('a', 7 << 20) });
        var exception = await Assert.ThrowsAsync<SaveLimitException>(() => db.SaveChangesAsync(Token));
        Assert.StartsWith("The 2 entities of the save have about", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Save fewer entities at a time.", exception.Message, StringComparison.Ordinal);
        Assert.Null(exception.Entry);

        db.ChangeTracker.Clear();
        var large = new Author { Id = 3, Name = new string('a', 9 << 20) };
        db.AddRange(new Author { Id = 4 }, large);
        exception = await Assert.ThrowsAsync<SaveLimitException>(() => db.SaveChangesAsync(Token));
        Assert.StartsWith("The Author 3 would have", exception.Message, StringComparison.Ordinal);
        Assert.Same(large, exception.Entry!.Entity);
        Assert.Equal(0, await db.Authors.CountAsync(Token));
    }

    [Fact]
    public async Task Include_of_an_owned_object_or_a_value_is_refused_as_unnecessary()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        var exception = Assert.Throws<InvalidOperationException>(() => db.LentBooks.Include(b => b.Cover));
        Assert.Contains("Cover of Book is an owned object, which is stored with the Book and always loaded. Remove the Include", exception.Message, StringComparison.Ordinal);
        exception = Assert.Throws<InvalidOperationException>(() => db.LentBooks.Include(b => b.Title));
        Assert.Contains("Title of Book is a value", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entities_read_separately_do_not_refer_to_each_other_until_they_are_included()
    {
        await using var node = await StartAsync();
        await using (var other = NewContext(node))
        {
            other.Add(new Book("b") { Id = 5, Author = new Author { Id = 1 } });
            await other.SaveChangesAsync(Token);
        }
        await using var db = NewContext(node);
        var author = await db.Authors.SingleAsync(Token);
        var book = await db.LentBooks.SingleAsync(Token);
        book.Pages++;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Null(book.Author);
        Assert.Empty(author.Books);
        await db.LentBooks.Include(b => b.Author).ToListAsync(Token);
        Assert.Same(author, book.Author);
    }

    [Fact]
    public async Task Filtered_include_adds_to_loaded_entities_and_the_next_save_deletes_nothing()
    {
        await using var node = await StartAsync();
        await using (var other = NewContext(node))
        {
            var added = new Author { Id = 1 };
            added.Books.AddRange([new("a") { Id = 5, Pages = 1 }, new("b") { Id = 6, Pages = 2 }, new("c") { Id = 7, Pages = 3 }]);
            other.Add(added);
            await other.SaveChangesAsync(Token);
        }
        await using var db = NewContext(node);
        var author = await db.Authors.Include(a => a.Books.Where(b => b.Pages < 3)).SingleAsync(Token);
        Assert.Equal([5L, 6L], author.Books.Select(b => b.Id));
        await db.Authors.Include(a => a.Books.Where(b => b.Pages > 1).OrderByDescending(b => b.Pages)).ToListAsync(Token);
        Assert.Equal([7L, 6L, 5L], author.Books.Select(b => b.Id));
        Assert.False(db.Entry(author).Collection(a => a.Books).IsLoaded);
        Assert.Equal(0, await db.SaveChangesAsync(Token));
        await db.Entry(author).Collection(a => a.Books).LoadAsync(Token);
        await db.Authors.Include(a => a.Books.Take(1)).ToListAsync(Token);
        Assert.True(db.Entry(author).Collection(a => a.Books).IsLoaded);
        Assert.Equal(3, author.Books.Count);
        author.Books.RemoveAll(b => b.Id == 7);
        // The removed entity is not loaded again, and the save deletes it.
        await db.Authors.Include(a => a.Books.Where(b => b.Id == 7)).ToListAsync(Token);
        Assert.Equal(2, author.Books.Count);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal([5L, 6L], await db.LentBooks.Select(b => b.Id).ToListAsync(Token));
    }
}
