using Datacake.Node;

namespace Datacake.Data.Tests.Shop;

public sealed class Author
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    [Ignore] public List<Book> Books { get; } = [];
}

public sealed class Book
{
    public long Id { get; set; }
    [Index] public long AuthorId { get; set; }
    public long? EditorId { get; set; }
    public string Title { get; set; } = "";
    [Ignore] public Author? Author { get; set; }
    [Ignore] public Author? Editor { get; set; }
    [Ignore] public string? AuthorName => Author?.Name;
    [Ignore] public List<Review> Reviews { get; } = [];

    public bool IsBy(string name) => Author?.Name == name;
}

public sealed class Review
{
    public Guid Id { get; set; }
    [Index] public long BookId { get; set; }
    public required string Text { get; set; }
}

/// <summary>A context whose relations have no navigations, so that includes fill ignored properties.</summary>
public sealed partial class LibraryContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Author> Authors { get; }

    public partial Keyspace<Book> Books { get; }

    public partial Keyspace<Review> Reviews { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Book>().HasOne<Author>().WithMany().HasForeignKey(book => book.AuthorId);
        model.Entity<Book>().HasMany<Review>().WithOne().HasForeignKey(review => review.BookId);
    }
}
