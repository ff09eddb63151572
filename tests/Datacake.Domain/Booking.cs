using System.ComponentModel.DataAnnotations;

namespace Datacake.Domain;

/// <summary>An entity that only its own methods can change.</summary>
public class Booking : Entity<Guid>
{
    readonly List<BookingLine> _lines = [];

    Booking()
    {
    }

    public Booking(Guid id, string room, DateOnly from)
        : this()
    {
        Id = id;
        Room = room;
        From = from;
    }

    public string Room { get; private set; } = "";

    public DateOnly From { get; private set; }

    [ConcurrencyCheck]
    public int Revision { get; internal set; }

    public string Code { get; } = "none";

    public byte[] Signature { get; } = [1];

    public Money Price { get; private set; } = new(0, "EUR");

    public Money? Discount { get; private set; }

    public HashSet<string> Tags { get; } = ["new"];

    public Dictionary<string, int> Guests { get; private set; } = [];

    public IReadOnlyCollection<BookingLine> Lines => _lines;

    public IReadOnlyList<string> Notes { get; private set; } = [];

    public List<string> Labels { get; } = ["old"];

    public void Move(string room, DateOnly from) => (Room, From, Revision) = (room, from, Revision + 1);

    public void Pay(Money price, Money? discount) => (Price, Discount) = (price, discount);

    public void Add(BookingLine line) => _lines.Add(line);

    public void Note(params string[] notes) => Notes = notes;
}

/// <summary>An owned object whose constructor takes all properties.</summary>
public sealed record Money(decimal Amount, string Currency);

/// <summary>An object in a list, with private setters.</summary>
public sealed class BookingLine
{
    BookingLine()
    {
    }

    public BookingLine(string what, int count) => (What, Count) = (what, count);

    public string What { get; private set; } = "";

    public int Count { get; private set; }
}
