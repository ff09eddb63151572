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

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
