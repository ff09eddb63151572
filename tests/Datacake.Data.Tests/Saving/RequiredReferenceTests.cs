using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of required foreign keys without a value.</summary>
public class RequiredReferenceTests : LendingStore
{
    [Fact]
    public async Task Added_entity_without_a_required_reference_is_refused_with_its_key_and_a_remedy()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.Authors.Add(new Author { Id = 1 });
        db.Add(new Book("orphan") { Id = 5 });
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        var error = Assert.Single(exception.Errors);
        Assert.Equal(("Book", (DocumentKey)5, "AuthorId"), (error.Entity, error.Key, error.Property));
        Assert.Contains(
            "AuthorId of the Book 5 refers to no Author. Set Author or AuthorId, or make AuthorId nullable", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, await NewContext(node).Authors.CountAsync(Token));
    }

    [Fact]
    public async Task Update_that_removes_a_required_reference_is_refused()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.Add(new Book("kept") { Id = 5, Author = new Author { Id = 1 } });
        await db.SaveChangesAsync(Token);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.LentBooks.ExecuteUpdateAsync(s => s.SetProperty(b => b.AuthorId, 0L), Token));
        Assert.Contains("AuthorId of the Book 5 refers to no Author", exception.Message, StringComparison.Ordinal);
        Assert.Equal(1, await db.LentBooks.CountAsync(b => b.AuthorId == 1, Token));
    }

    [Fact]
    public async Task Unset_foreign_key_without_a_navigation_is_refused_if_zero_is_not_a_valid_key()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.Copies.Add(new Copy { BookId = 1 });
        var error = Assert.Single((await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token))).Errors);
        Assert.Equal(("RoomId", "refers to no Room. Set RoomId, or make RoomId nullable"), (error.Property, error.Problem));
    }

    [Fact]
    public async Task Reference_sets_the_foreign_key_before_the_foreign_key_is_checked()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.Add(new Book("new") { Author = new Author() });
        Assert.Equal(2, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Nullable_foreign_key_and_foreign_key_whose_default_is_valid_are_not_checked()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        db.AddRange(new Book("homeless") { AuthorId = 1 }, new Label());
        Assert.Equal(2, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Foreign_key_is_checked_only_if_it_was_changed()
    {
        await using var node = await StartAsync();
        await using var db = NewContext(node);
        var book = new Book("old") { Id = 5, AuthorId = 1 };
        db.Attach(book);
        book.AuthorId = 0;
        db.Entry(book).State = EntityState.Unchanged;
        book.Pages = 7;
        // The property is missing from the store, which only a write detects.
        await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));

        db.ChangeTracker.Clear();
        db.Add(new Book("stored") { Id = 6, AuthorId = 1 });
        await db.SaveChangesAsync(Token);
        var stored = (await db.LentBooks.FindAsync([6L], Token))!;
        stored.AuthorId = 0;
        await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        db.Update(new Book("stored") { Id = 6 });
        await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
    }
}
