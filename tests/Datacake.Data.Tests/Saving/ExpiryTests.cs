using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests.Saving;

[ExpiresAfter("00:20:00")]
public class Basket
{
    public Guid Id { get; set; }
    public string? Owner { get; set; }
    [Counter] public long Views { get; set; }
}

public class Reservation
{
    public Guid Id { get; set; }
    public int Table { get; set; }
    [Index] public string? Guest { get; set; }
    [Expires] public DateTimeOffset? Until { get; set; }
}

public class Voucher
{
    public Guid Id { get; set; }
    public DateTimeOffset Until { get; set; }
}

public partial class ExpiryContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("expiring-baskets")] public partial Keyspace<Basket> Baskets { get; }
    [Keyspace("expiring-reservations")] public partial Keyspace<Reservation> Reservations { get; }
    [Keyspace("expiring-vouchers")] public partial Keyspace<Voucher> Vouchers { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Voucher>().ExpiresAfter("1.00:00:00").Property(voucher => voucher.Until).IsExpiry();
}

/// <summary>Entities that expire, on a node whose clock the tests move.</summary>
public sealed class ExpiryTests : IAsyncLifetime
{
    readonly ShiftedTime _time = new();
    readonly ReservedAddresses _addresses = new();
    DatacakeNode _node = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        string address = _addresses.Next();
        _node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn(address).WithGossip(gossip => gossip.UseLocal()).WithTimeProvider(_time).UseStorage(static () => new MemoryStorage()),
            Token);
        await _node.OpenStoreAsync(Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _addresses.Dispose();
    }

    [Fact]
    public async Task Skip_and_counts_by_an_index_leave_expired_entities_out()
    {
        using var db = new ExpiryContext(_node);
        for (int i = 0; i < 9; i++)
            db.Reservations.Add(new Reservation { Table = i, Guest = $"guest {i}", Until = i < 4 ? _time.GetUtcNow().AddMinutes(5) : null });
        await db.SaveChangesAsync(Token);
        Assert.Equal([5, 6], (await db.Reservations.OrderBy(r => r.Guest).Skip(5).Take(2).ToListAsync(Token)).Select(r => r.Table));

        _time.Offset = TimeSpan.FromMinutes(6);

        Assert.Equal([6, 7], (await db.Reservations.OrderBy(r => r.Guest).Skip(2).Take(2).ToListAsync(Token)).Select(r => r.Table));
        Assert.Equal(["guest 4", "guest 5"], await db.Reservations.Select(r => r.Guest).Distinct().OrderBy(guest => guest).Take(2).ToListAsync(Token));
        Assert.Equal("guest 4", await db.Reservations.MinAsync(r => r.Guest, Token));
        Assert.False(await db.Reservations.AnyAsync(r => r.Guest == "guest 1", Token));
        Assert.Equal(5, (await db.Reservations.GroupBy(r => r.Guest).Select(g => new { g.Key, Count = g.Count() }).ToListAsync(Token)).Count);
    }

    [Fact]
    public async Task Entity_of_a_class_that_expires_is_gone_after_its_time_and_updates_do_not_prolong_it()
    {
        using var db = new ExpiryContext(_node);
        var basket = new Basket { Owner = "Ada" };
        db.Baskets.Add(basket);
        await db.SaveChangesAsync(Token);
        _time.Offset = TimeSpan.FromMinutes(15);
        basket.Owner = "Grace";
        basket.Views++;
        await db.SaveChangesAsync(Token);
        Assert.Equal(1, await db.Baskets.CountAsync(Token));

        _time.Offset = TimeSpan.FromMinutes(21);

        Assert.Equal(0, await db.Baskets.CountAsync(Token));
        Assert.Empty(await db.Baskets.ToListAsync(Token));
        using var other = new ExpiryContext(_node);
        Assert.Null(await other.Baskets.FindAsync([basket.Id], Token));
        basket.Owner = "Edsger";
        var conflict = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("was deleted", conflict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Property_says_when_an_entity_expires_and_a_save_can_change_it()
    {
        using var db = new ExpiryContext(_node);
        var now = _time.GetUtcNow();
        var soon = new Reservation { Table = 1, Guest = "Ada", Until = now.AddMinutes(10) };
        var renewed = new Reservation { Table = 2, Guest = "Ada", Until = now.AddMinutes(10) };
        var freed = new Reservation { Table = 3, Guest = "Ada", Until = now.AddMinutes(10) };
        var kept = new Reservation { Table = 4, Guest = "Ada" };
        db.Reservations.AddRange(soon, renewed, freed, kept);
        await db.SaveChangesAsync(Token);
        renewed.Until = now.AddMinutes(30);
        renewed.Table = 20;
        freed.Until = null;
        await db.SaveChangesAsync(Token);

        _time.Offset = TimeSpan.FromMinutes(11);

        using var other = new ExpiryContext(_node);
        Assert.Equal([3, 4, 20], await other.Reservations.Select(reservation => reservation.Table).OrderBy(table => table).ToListAsync(Token));
        Assert.Equal(3, await other.Reservations.Where(reservation => reservation.Guest == "Ada").CountAsync(Token));
        Assert.Equal("Ada", (await other.Reservations.FindAsync([renewed.Id], Token))?.Guest);
        _time.Offset = TimeSpan.FromMinutes(31);
        Assert.Equal([3, 4], await other.Reservations.Select(reservation => reservation.Table).OrderBy(table => table).ToListAsync(Token));
    }

    [Fact]
    public async Task Set_based_update_can_change_the_expiry()
    {
        using var db = new ExpiryContext(_node);
        var now = _time.GetUtcNow();
        db.Reservations.AddRange(new Reservation { Table = 1, Until = now.AddMinutes(10) }, new Reservation { Table = 2, Until = now.AddMinutes(10) });
        await db.SaveChangesAsync(Token);
        await db.Reservations.Where(reservation => reservation.Table == 2).ExecuteUpdateAsync(set => set.SetProperty(reservation => reservation.Until, now.AddMinutes(30)), Token);

        _time.Offset = TimeSpan.FromMinutes(11);

        Assert.Equal(2, Assert.Single(await db.Reservations.AsNoTracking().ToListAsync(Token)).Table);
    }

    [Fact]
    public async Task Expiry_that_was_not_set_is_refused_and_one_in_the_past_is_not()
    {
        using var db = new ExpiryContext(_node);
        db.Vouchers.Add(new Voucher());
        var error = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("Until", error.Message, StringComparison.Ordinal);
        Assert.Contains("nullable", error.Message, StringComparison.Ordinal);

        using var other = new ExpiryContext(_node);
        other.Vouchers.Add(new Voucher { Until = _time.GetUtcNow().AddDays(-1) });
        await other.SaveChangesAsync(Token);
        Assert.Equal(0, await other.Vouchers.CountAsync(Token));
    }

    [Fact]
    public async Task Serial_save_keeps_the_expiry_of_merging_entities()
    {
        using var db = new ExpiryContext(_node);
        var renewed = new Reservation { Table = 2, Until = _time.GetUtcNow().AddMinutes(10) };
        db.Reservations.AddRange(new Reservation { Table = 1, Until = _time.GetUtcNow().AddMinutes(10) }, renewed);
        await db.SaveChangesAsync(Consistency.Serial, Token);
        renewed.Until = _time.GetUtcNow().AddMinutes(30);
        await db.SaveChangesAsync(Consistency.Serial, Token);

        _time.Offset = TimeSpan.FromMinutes(11);

        Assert.Equal(2, Assert.Single(await db.Reservations.AsNoTracking().ToListAsync(Token)).Table);
    }
}
