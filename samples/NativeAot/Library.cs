using Datacake.Data;
using Datacake.Node;

namespace Datacake.NativeAot;

/// <summary>The data of a library.</summary>
public sealed partial class LibraryContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Book> Books { get; }

    public partial Keyspace<Member> Members { get; }

    public partial Keyspace<Loan> Loans { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Book>(book =>
    {
        book.HasIndex(b => b.Publisher!.City);
        book.HasIndex(b => b.Isbn);
        book.Property(b => b.Isbn).HasConversion(isbn => isbn.Text, text => new Isbn(text));
        book.Property(b => b.Format).HasConversion<string>();
        book.HasDiscriminator().HasValue<AudioBook>("audio");
    });
}

/// <summary>A book with copies to lend.</summary>
public class Book
{
    public long Id { get; set; }
    public required string Title { get; set; }
    public Isbn Isbn { get; init; }
    public Format Format { get; set; }
    public DateOnly? Published { get; set; }
    public HashSet<string> Tags { get; } = [];
    public Dictionary<string, decimal> Prices { get; set; } = [];
    public Publisher? Publisher { get; set; }
    [Counter] public long Copies { get; set; }
}

/// <summary>A book that is read aloud.</summary>
public sealed class AudioBook : Book
{
    public string? Narrator { get; set; }
}

/// <summary>An International Standard Book Number.</summary>
public readonly record struct Isbn(string Text);

/// <summary>The format of a book.</summary>
public enum Format
{
    Unknown,
    Hardcover,
    Paperback,
}

/// <summary>The publisher of a book.</summary>
public sealed class Publisher
{
    public string Name { get; set; } = "";
    public string City { get; set; } = "";
}

/// <summary>A person who borrows books.</summary>
public sealed class Member
{
    public Guid Id { get; set; }
    public string Name { get; set; } = "";
    public List<Loan> Loans { get; } = [];
}

/// <summary>A book on loan to a member.</summary>
public sealed class Loan
{
    public Guid Id { get; set; }
    public int Days { get; set; }
    public long BookId { get; set; }
    public Book? Book { get; set; }
    public Guid MemberId { get; private set; }
    public Member? Member { get; private set; }
}

/// <summary>The number of copies of a title, as the result of a projection. An anonymous type would need reflection.</summary>
public sealed record Stock(string Title, long Copies);
