using System.ComponentModel.DataAnnotations;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests.Saving;

public sealed class Author
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    public List<Book> Books { get; } = [];
}

/// <summary>An entity with a required author and an optional room.</summary>
public sealed class Book(string title)
{
    public long Id { get; set; }
    public string Title { get; set; } = title;
    public int Pages { get; set; }
    public DateTime? ReadAt { get; set; }
    public Dictionary<string, DateTime> Lent { get; } = [];
    public long AuthorId { get; set; }
    public Author Author { get; set; } = null!;
    public int? RoomId { get; set; }
    public Room? Room { get; set; }
    public List<Copy> Copies { get; } = [];
    public bool IsDeleted { get; set; }
    public Cover? Cover { get; set; }
}

public sealed class Cover
{
    public string Color { get; set; } = "";
}

/// <summary>An entity that cannot have the key 0.</summary>
public sealed class Room
{
    public int Id { get; set; }
    public List<Book> Books { get; } = [];
}

/// <summary>An entity that prevents its book from being deleted.</summary>
public sealed class Loan
{
    public Guid Id { get; set; }
    public long BookId { get; set; }
    public Book Book { get; set; } = null!;
}

public sealed class Copy
{
    public Guid Id { get; set; }
    public long BookId { get; set; }
    public int RoomId { get; set; }
}

public readonly record struct ShelfId(long Value);

public sealed class ShelfIdConverter() : ValueConverter<ShelfId, long>(id => id.Value, value => new(value));

public sealed class Shelf
{
    [Converter<ShelfIdConverter>] public ShelfId Id { get; set; }
    public List<Box> Boxes { get; } = [];
}

/// <summary>An entity whose default key is a valid key.</summary>
public sealed class Box
{
    [Converter<ShelfIdConverter>] public ShelfId Id { get; set; }
    [Converter<ShelfIdConverter>] public ShelfId ShelfId { get; set; }
}

/// <summary>A dependent of a box, whose key can be the default value.</summary>
public sealed class Label
{
    public Guid Id { get; set; }
    [Converter<ShelfIdConverter>] public ShelfId BoxId { get; set; }
    public Box Box { get; set; } = null!;
}

public enum Language
{
    English,
    Finnish,
}

/// <summary>An entity whose key is an enum, so that the default value is a valid key.</summary>
public sealed class Dictation
{
    [Key] public Language Language { get; set; }
}

public sealed class Job
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    [ConcurrencyCheck] public int Version { get; set; }
}

public sealed partial class LendingContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Author> Authors { get; }

    public partial Keyspace<Book> LentBooks { get; }

    public partial Keyspace<Room> Rooms { get; }

    public partial Keyspace<Loan> Loans { get; }

    public partial Keyspace<Copy> Copies { get; }

    public partial Keyspace<Shelf> Shelves { get; }

    public partial Keyspace<Box> Boxes { get; }

    public partial Keyspace<Label> Labels { get; }

    public partial Keyspace<Dictation> Dictations { get; }

    public partial Keyspace<Job> Jobs { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Loan>().HasOne(loan => loan.Book).WithMany().OnDelete(DeleteBehavior.Restrict);
        model.Entity<Copy>().HasOne<Room>().WithMany().HasForeignKey(copy => copy.RoomId).OnDelete(DeleteBehavior.NoAction);
        model.Entity<Box>().Property(box => box.Id).ValueGeneratedNever();
        model.Entity<Dictation>().Property(dictation => dictation.Language).HasConversion<string>();
    }
}

/// <summary>The base class of tests that each use an in-memory node with a lending library.</summary>
public abstract class LendingStore
{
    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected static ValueTask<DatacakeNode> StartAsync() =>
        DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), Token);

    protected static LendingContext NewContext(DatacakeNode node) => new(node) { DefaultConsistency = Consistency.None };
}
