using Datacake.Domain;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Domain;

/// <summary>Tests of entity classes in another assembly that have private members.</summary>
public sealed class DomainAssemblyTests(StoreFixture store)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Private_setters_constructors_and_fields_of_a_compiled_class_are_stored_and_read_back()
    {
        var id = Guid.NewGuid();
        await using (var db = Context())
        {
            var booking = new Booking(id, "Lake", new DateOnly(2026, 5, 6)) { Labels = { "first" }, Tags = { "vip" }, Guests = { ["Ann"] = 2 } };
            booking.Add(new BookingLine("breakfast", 3));
            booking.Add(new BookingLine("boat", 1));
            booking.Pay(new Money(120.50m, "CHF"), new Money(20, "CHF"));
            booking.Note("late", "quiet");
            booking.Move("Forest", new DateOnly(2026, 5, 7));
            booking.Labels.Remove("old");
            db.Bookings.Add(booking);
            await db.SaveChangesAsync(Token);
        }
        await using (var db = Context())
        {
            var read = await db.Bookings.FindAsync([id], Token);
            Assert.NotNull(read);
            Assert.Equal((id, "Forest", new DateOnly(2026, 5, 7), 1), (read.Id, read.Room, read.From, read.Revision));
            Assert.Equal(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), read.CreatedAt);
            Assert.Equal((new Money(120.50m, "CHF"), new Money(20, "CHF")), (read.Price, read.Discount));
            Assert.Equal(("none", (byte)1), (read.Code, Assert.Single(read.Signature)));
            Assert.Equal(["first"], read.Labels);
            Assert.Equal(["new", "vip"], read.Tags.Order());
            Assert.Equal(2, read.Guests["Ann"]);
            Assert.Equal(["late", "quiet"], read.Notes);
            Assert.Equal([("breakfast", 3), ("boat", 1)], read.Lines.Select(line => (line.What, line.Count)));
            Assert.False(db.ChangeTracker.HasChanges());

            read.Add(new BookingLine("sauna", 1));
            read.Pay(read.Price, null);
            await db.SaveChangesAsync(Token);
        }
        await using (var db = Context())
        {
            var read = await db.Bookings.Where(booking => booking.Room == "Forest" && booking.Id == id).SingleAsync(Token);
            Assert.Equal(["breakfast", "boat", "sauna"], read.Lines.Select(line => line.What));
            Assert.Null(read.Discount);
        }
    }

    [Fact]
    public void Computed_property_of_a_compiled_class_is_reported_when_the_first_context_is_created()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => new ComputedContext(store.Node).Accounts.ToString());
        Assert.Contains("The property FullName of Account, a class of the assembly Datacake.Domain", exception.Message, StringComparison.Ordinal);
        Assert.Contains("[NotMapped]", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ignored_computed_property_is_computed()
    {
        await using var db = new AccountContext(store.Node) { DefaultConsistency = Consistency.None };
        db.Accounts.Add(new Account { Id = 1, First = "Ada", Last = "Byron" });
        await db.SaveChangesAsync(Token);
        await using var other = new AccountContext(store.Node);
        Assert.Equal("Ada Byron", (await other.Accounts.SingleAsync(Token)).FullName);
    }

    BookingContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}
