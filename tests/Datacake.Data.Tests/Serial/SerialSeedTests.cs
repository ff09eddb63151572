using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

[Serial]
public sealed class Currency
{
    public string Id { get; set; } = "";

    public string Name { get; set; } = "";
}

public sealed class Country
{
    public string Id { get; set; } = "";
}

/// <summary>A seed with a number.</summary>
[Serial]
public sealed class Counterparty
{
    public int Id { get; set; }

    [DatabaseGenerated(DatabaseGeneratedOption.Identity)]
    public long Number { get; set; }
}

public sealed partial class CounterpartyContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("SeededCounterparties")]
    public partial Keyspace<Counterparty> Counterparties { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Counterparty>().HasData(
        new Counterparty { Id = 7 }, new Counterparty { Id = 8, Number = 100 }, new Counterparty { Id = 9 });
}

public sealed partial class KeylessSeedContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("SeededWithoutKeys")]
    public partial Keyspace<Counterparty> Counterparties { get; }

    protected override void OnModelCreating(ModelBuilder model) => model.Entity<Counterparty>().HasData(new Counterparty { Number = 1 });
}

public sealed partial class CurrencyContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Currency> Currencies { get; }

    [Keyspace("SeededCountries")]
    public partial Keyspace<Country> Countries { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Currency>().HasData(new Currency { Id = "EUR", Name = "Euro" }, new Currency { Id = "GBP", Name = "Pound" });
        model.Entity<Country>().HasData(new Country { Id = "FR" });
    }
}

public class SerialSeedTests
{
    [Fact]
    public async Task Serial_and_merging_seeds_are_added_once_each()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = new CurrencyContext(node))
        {
            Assert.Equal(["Euro", "Pound"], await db.Currencies.Select(currency => currency.Name).ToListAsync(Token));
            Assert.Equal(1, await db.Countries.CountAsync(Token));
            db.Remove((await db.Currencies.FindAsync(["GBP"], Token))!);
            (await db.Currencies.FindAsync(["EUR"], Token))!.Name = "renamed";
            await db.SaveChangesAsync(Token);
        }
        await cluster.StopAsync(1);
        node = await cluster.StartAsync(1);
        await using (var db = new CurrencyContext(node))
            Assert.Equal(["renamed"], await db.Currencies.Select(currency => currency.Name).ToListAsync(Token));
    }

    [Fact]
    public async Task Seeds_get_the_next_numbers_and_entities_continue_with_them()
    {
        await using var cluster = new LocalCluster();
        await using var db = new CounterpartyContext(await cluster.StartAsync(1));
        Assert.Equal([(7, 1L), (8, 100L), (9, 2L)], (await db.Counterparties.OrderBy(each => each.Id).ToListAsync(Token)).Select(static each => (each.Id, each.Number)));
        var added = new Counterparty();
        db.Add(added);
        await db.SaveChangesAsync(Token);
        Assert.Equal((1, 3L), (added.Id, added.Number));
    }

    [Fact]
    public async Task Seed_without_a_key_is_refused()
    {
        await using var cluster = new LocalCluster();
        await using var db = new KeylessSeedContext(await cluster.StartAsync(1));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Counterparties.CountAsync(Token));
        Assert.Equal(
            "An entity in HasData of Counterparty has no key: its Id is 0. The key of a seed is not numbered, because it tells whether the seed was added before. Set Id.", error.Message);
    }

    [Fact]
    public async Task Reads_go_on_while_no_sequencer_answers_in_time_and_the_seeds_are_added_later()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1, static options => options.WithStore(static store => store.AcknowledgmentTimeout = TimeSpan.FromTicks(1)));
        await using (var db = new CurrencyContext(node))
            Assert.Equal(0, await db.Countries.CountAsync(country => country.Id == "XX", Token));
        await cluster.StopAsync(1);
        node = await cluster.StartAsync(1);
        await using (var db = new CurrencyContext(node))
            Assert.Equal(["Euro", "Pound"], await db.Currencies.Select(currency => currency.Name).ToListAsync(Token));
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
