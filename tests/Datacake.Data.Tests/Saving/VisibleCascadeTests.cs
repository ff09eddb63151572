using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of cascading deletes as interceptors and event handlers see them before the save.</summary>
public class VisibleCascadeTests : LendingStore
{
    [Fact]
    public async Task Interceptors_and_handlers_see_cascaded_deletes_and_nulled_foreign_keys_of_tracked_dependents()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        var audit = new Audit();
        db.Interceptors.Add(audit);
        var handled = new List<string>();
        db.SavingChanges += (_, _) => handled.AddRange(Audit.Describe(db));
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        db.Remove(author);
        await db.SaveChangesAsync(Token);
        Assert.Equal(["Author 1: Deleted", "Book 5: Deleted", "Book 6: Deleted"], audit.Seen);
        Assert.Equal(audit.Seen, handled);
        Assert.Equal(1, await db.LentBooks.CountAsync(Token));

        audit.Seen.Clear();
        var room = await db.Rooms.Include(r => r.Books).SingleAsync(Token);
        db.Remove(room);
        await db.SaveChangesAsync(Token);
        Assert.Equal(["Book 7: Modified (RoomId)", "Room 3: Deleted"], audit.Seen);
        Assert.Null((await NewContext(node).LentBooks.SingleAsync(Token)).RoomId);
    }

    [Fact]
    public async Task Untracked_dependents_are_deleted_without_being_seen()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        var audit = new Audit();
        db.Interceptors.Add(audit);
        db.Remove((await db.Authors.FindAsync([1L], Token))!);
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal(["Author 1: Deleted"], audit.Seen);
    }

    [Fact]
    public async Task Dependent_whose_state_an_interceptor_changes_is_not_deleted()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        db.Interceptors.Add(new SoftDelete());
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        db.Remove(author);
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        await using var other = NewContext(node);
        Assert.Equal(2, await other.LentBooks.CountAsync(b => b.AuthorId == 1 && b.IsDeleted, Token));
        Assert.Null(await other.Authors.FindAsync([1L], Token));
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Dependents_stay_deleted_if_only_their_principal_is_kept()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        db.SavingChanges += (_, _) => db.Entry(author).State = EntityState.Unchanged;
        db.Remove(author);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.NotNull(await NewContext(node).Authors.FindAsync([1L], Token));
        Assert.Equal(1, await db.LentBooks.CountAsync(Token));
    }

    [Fact]
    public async Task Orphan_whose_state_an_interceptor_changes_is_not_deleted()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        db.Interceptors.Add(new SoftDelete());
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        author.Books.RemoveAll(book => book.Id == 5);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal([5L], await NewContext(node).LentBooks.Where(b => b.IsDeleted).Select(b => b.Id).ToListAsync(Token));
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Failed_save_restores_the_states_of_dependents()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        db.Interceptors.Add(new Audit());
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        var room = await db.Rooms.Include(r => r.Books).SingleAsync(Token);
        var isolated = new Book("new") { Id = 9, Author = author };
        db.Add(isolated);
        db.RemoveRange(author, room);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
        AssertAsBefore();
        db.SavingChanges += (_, _) => throw new UnauthorizedAccessException();
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => db.SaveChangesAsync(Token));
        AssertAsBefore();

        void AssertAsBefore()
        {
            Assert.Equal(EntityState.Deleted, db.Entry(author).State);
            Assert.All(author.Books.Where(book => book != isolated), book => Assert.Equal(EntityState.Unchanged, db.Entry(book).State));
            Assert.Equal(EntityState.Added, db.Entry(isolated).State);
            var housed = Assert.Single(room.Books);
            Assert.Equal((3, room), (housed.RoomId!.Value, housed.Room));
            Assert.Equal(EntityState.Unchanged, db.Entry(housed).State);
        }
    }

    [Fact]
    public async Task Orphan_that_is_reattached_after_a_failed_save_is_kept()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        db.Interceptors.Add(new Audit());
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        var book = author.Books[0];
        author.Books.Remove(book);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
        author.Books.Add(book);
        Assert.Equal(0, await db.SaveChangesAsync(Token));
        Assert.Equal(3, await db.LentBooks.CountAsync(Token));
    }

    [Fact]
    public async Task CascadeChanges_shows_what_a_save_would_delete()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        var author = await db.Authors.Include(a => a.Books).SingleAsync(a => a.Id == 1, Token);
        db.Remove(author);
        db.ChangeTracker.CascadeChanges();
        Assert.All(author.Books, book => Assert.Equal(EntityState.Deleted, db.Entry(book).State));
    }

    [Fact]
    public async Task Foreign_keys_are_set_to_null_without_automatic_detection_of_changes()
    {
        await using var node = await FilledAsync();
        await using var db = NewContext(node);
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        db.Remove((await db.Rooms.FindAsync([3], Token))!);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Null((await NewContext(node).LentBooks.FindAsync([7L], Token))!.RoomId);
    }

    static async Task<DatacakeNode> FilledAsync()
    {
        var node = await StartAsync();
        await using var db = NewContext(node);
        db.AddRange(
            new Author { Id = 1 }, new Author { Id = 2 }, new Room { Id = 3 }, new Book("a") { Id = 5, AuthorId = 1 }, new Book("b") { Id = 6, AuthorId = 1 },
            new Book("c") { Id = 7, AuthorId = 2, RoomId = 3 });
        await db.SaveChangesAsync(Token);
        return node;
    }

    sealed class Audit : DatacakeInterceptor
    {
        public List<string> Seen { get; } = [];

        public override ValueTask SavingChangesAsync(DatacakeContext context, SavingChangesEventArgs save, CancellationToken cancellationToken)
        {
            Seen.AddRange(Describe(context));
            return default;
        }

        public static IEnumerable<string> Describe(DatacakeContext context) => context.ChangeTracker.Entries()
            .Where(entry => entry.State != EntityState.Unchanged)
            .Select(entry => $"{entry}{Changed(entry)}").Order(StringComparer.Ordinal);

        static string Changed(EntityEntry entry) => entry.State != EntityState.Modified ? ""
            : $" ({string.Join(", ", entry.Properties.Where(property => property.IsModified).Select(property => property.Metadata.Name))})";
    }

    /// <summary>An interceptor that marks books as deleted instead of deleting them.</summary>
    sealed class SoftDelete : DatacakeInterceptor
    {
        public override ValueTask SavingChangesAsync(DatacakeContext context, SavingChangesEventArgs save, CancellationToken cancellationToken)
        {
            foreach (var entry in context.ChangeTracker.Entries<Book>().Where(entry => entry.State == EntityState.Deleted))
            {
                entry.State = EntityState.Modified;
                entry.Entity.IsDeleted = true;
            }
            return default;
        }
    }
}
