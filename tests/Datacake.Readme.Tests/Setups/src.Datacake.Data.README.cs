using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Shop
{
    // types of sample 1

    static class Beginning
    {
        public static async Task RunAsync()
        {
            await using var second = await Samples.StartNodeAsync(2);
            await using var third = await Samples.StartNodeAsync(3);
            // sample 1
            Assert.Equal("Cake", Assert.Single(cheap).Name);
            await using var fresh = new ShopContext(node);
            Assert.Equal(9, (await fresh.Products.FindAsync(1L))!.Stock);
            Samples.Reach(1);
        }
    }

    static class Changing
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new ShopContext(node);
            db.Products.Add(new Product { Id = 1, Name = "Cake", Category = "bakery", Price = 10, Stock = 10 });
            db.Products.Add(new Product { Id = 2, Name = "Chair", Category = "furniture", Price = 10, Stock = 10 });
            await db.SaveChangesAsync();
            // sample 7
            db.ChangeTracker.Clear();
            Assert.Equal([(11m, 9L), (10m, 10L)], (await db.Products.ToListAsync()).Select(static p => (p.Price, p.Stock)));
            Samples.Reach(7);
        }
    }

    static class Paging
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new ShopContext(node);
            for (int i = 100; i < 150; i++)
                db.Products.Add(new Product { Id = i, Name = $"Cake {i}", Category = i < 140 ? "bakery" : "furniture" });
            await db.SaveChangesAsync();
            string request = "bakery";
            // sample 9
            Assert.Equal(Enumerable.Range(120, 10).Select(static i => $"Cake {i}"), page.Select(static p => p.Name));
            Samples.Reach(9);

            static IQueryable<Product> Filtered(IQueryable<Product> products, string request) => products.Where(p => p.Category == request);
        }
    }

    static class Watching
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new ShopContext(node);
            using var stopping = new CancellationTokenSource();
            var cancellationToken = stopping.Token;
            var watching = WatchAsync();
            await using var other = new ShopContext(node);
            other.Products.Add(new Product { Id = 1, Name = "Cake", Stock = 4 });
            other.Products.Add(new Product { Id = 2, Name = "Chair", Stock = 5 });
            await other.SaveChangesAsync();
            string output = "";
            await Samples.WaitUntilAsync(() => (output += Samples.TakeOutput()).Length > 0, "the product is reported");
            await stopping.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
            Assert.Equal("Cake is running out\n", output);
            Samples.Reach(11);

            async Task WatchAsync()
            {
                // sample 11
            }
        }
    }

    static class Consuming
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new ShopContext(node);
            using var stopping = new CancellationTokenSource();
            var cancellationToken = stopping.Token;
            db.Products.Add(new Product { Id = 1, Name = "Cake", Stock = 4 });
            await db.SaveChangesAsync();
            var report = new Report();
            var consuming = ConsumeAsync();
            await Samples.WaitUntilAsync(() => report.Rows.Count == 1, "the product is loaded");
            await using var other = new ShopContext(node);
            other.Products.Add(new Product { Id = 2, Name = "Chair", Stock = 5 });
            other.Products.Remove((await other.Products.FindAsync(1L))!);
            await other.SaveChangesAsync();
            await Samples.WaitUntilAsync(() => report.Rows.GetValueOrDefault(2L)?.Name == "Chair" && report.Rows.Count == 1, "the changes are processed");
            await stopping.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consuming);
            Samples.Reach(12);

            async Task ConsumeAsync()
            {
                // sample 12
            }
        }

        sealed class Report
        {
            public System.Collections.Concurrent.ConcurrentDictionary<DocumentKey, Product> Rows { get; } = [];

            public Task ClearAsync(CancellationToken token)
            {
                Rows.Clear();
                return Task.CompletedTask;
            }

            public Task WriteAsync(Product product, CancellationToken token)
            {
                Rows[product.Id] = product;
                return Task.CompletedTask;
            }

            public Task DeleteAsync(DocumentKey key, CancellationToken token)
            {
                Rows.TryRemove(key, out _);
                return Task.CompletedTask;
            }
        }
    }
}

namespace InCode
{
    public readonly record struct Money(decimal Amount);

    public enum Status
    {
        New,
        Sold,
    }

    public sealed class Address
    {
        public string City { get; set; } = "";
    }

    public sealed class Product
    {
        public long Number { get; set; }
        public string Name { get; set; } = "";
        public string Category { get; set; } = "";
        public Money Price { get; set; }
        public Status Status { get; set; }
        public long Stock { get; set; }
        public Address? Warehouse { get; set; }
        public string? Draft { get; set; }
    }

    public abstract class Vehicle
    {
        public long Id { get; set; }
        public string Owner { get; set; } = "";
    }

    public sealed class Car : Vehicle;

    public sealed class Truck : Vehicle
    {
        public int Load { get; set; }
    }

    public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Product> Products { get; }

        public partial Keyspace<Vehicle> Vehicles { get; }

        // sample 2
    }

    static class Modeling
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using (var db = new ShopContext(node))
            {
                db.Products.Add(new Product { Number = 1, Name = "Cake", Category = "bakery", Price = new(12), Status = Status.Sold, Stock = 3, Warehouse = new() { City = "York" }, Draft = "none" });
                db.Vehicles.Add(new Truck { Owner = "Cake", Load = 7 });
                db.Vehicles.Add(new Car { Owner = "Cake" });
                await db.SaveChangesAsync();
                db.Products.Add(new Product { Number = 2, Name = new string('a', 101) });
                await Assert.ThrowsAsync<EntityValidationException>(async () => await db.SaveChangesAsync());
            }
            await using var fresh = new ShopContext(node);
            var product = await fresh.Products.FindAsync(1L);
            Assert.Equal((new Money(12), Status.Sold, 3L, "York", null), (product!.Price, product.Status, product.Stock, product.Warehouse!.City, product.Draft));
            Assert.Equal(7, Assert.Single(await fresh.Vehicles.OfType<Truck>().ToListAsync()).Load);
            Assert.Contains("index", fresh.Products.Where(p => p.Category == "bakery").Explain(), StringComparison.Ordinal);
            Samples.Reach(2);
        }
    }
}

namespace Bounded
{
    // types of sample 3

    public sealed partial class HallContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Concert> Concerts { get; }
    }

    static class Selling
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new HallContext(node);
            var concert = new Concert { Tickets = 3 };
            db.Concerts.Add(concert);
            await db.SaveChangesAsync();
            await SellAsync();
            await SellAsync();
            Assert.Equal("Tickets: 1 can be sold here, and 0 by other nodes, as far as is known.\n", Samples.TakeOutput());
            Samples.Reach(3);
            Samples.Reach(4);

            async Task SellAsync()
            {
                // sample 4
            }
        }
    }
}

namespace Evolved
{
    using Microsoft.Extensions.Logging;
    using Microsoft.Extensions.Logging.Abstractions;

    public sealed class Product
    {
        public long Id { get; set; }
        public decimal Price { get; set; }
    }

    public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Product> Products { get; }
    }

    /// <summary>Stores a price that the class above cannot read.</summary>
    public sealed partial class OtherContext(DatacakeNode node) : DatacakeContext(node)
    {
        [Keyspace("Products")]
        public partial Keyspace<OtherProduct> Others { get; }
    }

    public sealed class OtherProduct
    {
        public long Id { get; set; }
        public string Price { get; set; } = "";
    }

    static class Reading
    {
        public static async Task RunAsync()
        {
            ILogger logger = NullLogger.Instance;
            await using (var earlier = await Samples.StartNodeAsync(1, static options => options.UseSqlite("shop.db")))
            await using (var others = new OtherContext(earlier))
            {
                others.Others.Add(new OtherProduct { Id = 2, Price = "twelve" });
                await others.SaveChangesAsync();
            }
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseSqlite("shop.db"));
            await using var db = new ShopContext(node);
            db.Products.Add(new Product { Id = 1, Price = 12 });
            await db.SaveChangesAsync();
            await Assert.ThrowsAsync<UnreadableEntityException>(async () => await db.Products.ToListAsync());
            // sample 5
            Assert.Equal(1, Assert.Single(readable).Id);
            Assert.Equal(1, deleted);
            Assert.Single(await db.Products.ToListAsync());
            Samples.Reach(5);
        }
    }
}

namespace Intercepted
{
    using Datacake.Hosting;
    using Microsoft.AspNetCore.Builder;
    using Microsoft.Extensions.DependencyInjection;

    public interface IUser
    {
        ValueTask<string> GetNameAsync(CancellationToken cancellationToken);
    }

    public sealed class Someone : IUser
    {
        public ValueTask<string> GetNameAsync(CancellationToken cancellationToken) => new("someone");
    }

    public sealed class Product
    {
        public long Id { get; set; }
        public string? ChangedBy { get; set; }
    }

    public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Product> Products { get; }
    }

    // types of sample 6

    static class Intercepting
    {
        public static async Task RunAsync()
        {
            var builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
            builder.Services.AddSingleton<IUser, Someone>();
            builder.Services.AddDatacake(static options => options.WithNodeId(1).ListenOn(Samples.AddressOf(1)).UseMemory());
            // sample 6
            await using var app = builder.Build();
            await app.StartAsync();
            await using var scope = app.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
            db.Products.Add(new Product { Id = 1 });
            await db.SaveChangesAsync();
            Assert.Equal("someone", (await db.Products.AsNoTracking().FirstAsync()).ChangedBy);
            Samples.Reach(6);
        }
    }
}

namespace Grouped
{
    public enum OrderState
    {
        Open,
        Paid,
    }

    public sealed class Customer
    {
        public long Id { get; set; }
        public string City { get; set; } = "";
        public string Country { get; set; } = "";
    }

    public sealed class Order
    {
        public long Id { get; set; }
        public long CustomerId { get; set; }
        public OrderState State { get; set; }
        public decimal Total { get; set; }
    }

    public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Customer> Customers { get; }

        public partial Keyspace<Order> Orders { get; }
    }

    static class Grouping
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new ShopContext(node);
            db.Customers.AddRange(new Customer { Id = 1, City = "London", Country = "UK" }, new Customer { Id = 2, City = "London", Country = "CA" }, new Customer { Id = 3, City = "Paris" });
            db.Orders.AddRange(
                new Order { CustomerId = 1, State = OrderState.Paid, Total = 1 }, new Order { CustomerId = 1, State = OrderState.Paid, Total = 2 },
                new Order { CustomerId = 1, Total = 4 }, new Order { CustomerId = 2, State = OrderState.Paid, Total = 8 }, new Order { CustomerId = 3, State = OrderState.Paid, Total = 16 });
            await db.SaveChangesAsync();
            // sample 8
            Assert.Equal([("CA", 8m), ("UK", 3m)], revenue.Select(static r => (r.Country, r.Sum)).Order());
            Samples.Reach(8);
        }
    }
}

namespace Related
{
    // types of sample 10

    static class Relating
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using (var writing = new ShopContext(node))
            {
                var busyCustomer = new Customer { City = "York" };
                for (int i = 0; i < 11; i++)
                    busyCustomer.Orders.Add(new Order { Total = 100 + i, Lines = { new OrderLine { Product = "Cake" } } });
                writing.Customers.AddRange(busyCustomer, new Customer { City = "Bath", Orders = { new Order { Total = 50 } } });
                await writing.SaveChangesAsync();
            }
            await using var db = new ShopContext(node);
            // sample 10
            Assert.Equal(10, orders.Count);
            Assert.All(orders, static order => Assert.Equal("York", order.Customer!.City));
            Assert.Equal(2, customers.Count);
            Assert.Equal("York", Assert.Single(busy).City);
            Assert.Equal(12, shown.Count);
            Assert.Equal(11, shown.Count(static order => order.City == "York"));
            await using var fresh = new ShopContext(node);
            var some = await fresh.Customers.Include(c => c.Orders.Where(o => o.Total > 100).Take(3)).ThenInclude(o => o.Lines).ToListAsync();
            Assert.Equal([0, 3], some.Select(static customer => customer.Orders.Count).Order());
            Assert.All(some.SelectMany(static customer => customer.Orders), static order => Assert.Single(order.Lines));
            Samples.Reach(10);
        }
    }
}

namespace SerialClasses
{
    // types of sample 13

    static class Transferring
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new BankContext(node);
            db.Add(new Account { Id = "savings", Balance = 100 });
            db.Add(new Account { Id = "cash" });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();
            // sample 13
            await using var shown = new BankContext(node);
            Assert.Equal([30m, 60m], await shown.Accounts.OrderBy(static account => account.Balance).Select(static account => account.Balance).ToListAsync());
            Samples.Reach(13);
        }
    }

    static class Working
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new BankContext(node);
            // sample 17
            await using var shown = new BankContext(node);
            Assert.NotNull(await shown.Accounts.FindAsync("gift"));
            Samples.Reach(17);
        }
    }
}

namespace UniqueValues
{
    // types of sample 14

    sealed partial class UserContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<User> Users { get; }
    }

    static class Adding
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new UserContext(node);
            db.AddRange(new User { Email = "ada@example.com" }, new User());
            Assert.Equal(2, await db.SaveChangesAsync());
            db.AddRange(new User { Email = "ada@example.com" }, new User());
            await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync());
            Samples.Reach(14);
        }
    }
}

namespace Expiring
{
    // types of sample 15

    sealed partial class BasketContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Basket> Baskets { get; }

        public partial Keyspace<Reservation> Reservations { get; }
    }

    static class Leaving
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new BasketContext(node);
            db.AddRange(new Basket { Owner = "Ada" }, new Reservation { Table = 1, Until = DateTimeOffset.UtcNow.AddHours(1) }, new Reservation { Table = 2, Until = DateTimeOffset.UtcNow.AddHours(-1) });
            await db.SaveChangesAsync();
            Assert.Equal(1, await db.Baskets.CountAsync());
            Assert.Equal(1, await db.Reservations.CountAsync());
            Samples.Reach(15);
        }
    }
}

namespace Numbers
{
    // types of sample 16

    sealed partial class InvoiceContext(DatacakeNode node) : DatacakeContext(node)
    {
        public partial Keyspace<Invoice> Invoices { get; }

        public partial Keyspace<Booking> Bookings { get; }

        public partial Keyspace<Seat> Seats { get; }
    }

    static class Numbering
    {
        public static async Task RunAsync()
        {
            await using var node = await Samples.StartNodeAsync(1, static options => options.UseMemory());
            await using var db = new InvoiceContext(node);
            Invoice[] invoices = [new(), new()];
            db.AddRange(invoices);
            await db.SaveChangesAsync();
            Assert.Equal([1, 2], invoices.Select(static invoice => invoice.Number).Order());
            Booking[] bookings = [new() { Seats = [new Seat { Name = "1A" }] }, new() { Seats = [new Seat { Name = "1B" }, new Seat { Name = "1C" }] }];
            db.AddRange(bookings);
            Assert.True(db.Entry(bookings[1]).Property(static b => b.Id).IsTemporary);
            await db.SaveChangesAsync();
            Assert.Equal([1, 2], bookings.Select(static booking => booking.Id));
            await using var shown = new InvoiceContext(node);
            Assert.Equal(["1B", "1C"], await shown.Seats.Where(static seat => seat.BookingId == 2).OrderBy(static seat => seat.Name).Select(static seat => seat.Name).ToListAsync());
            Samples.Reach(16);
        }
    }
}
