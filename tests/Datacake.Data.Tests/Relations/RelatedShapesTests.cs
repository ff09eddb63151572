using Datacake.Data.Tests.Domain;
using Datacake.Domain;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

public class RelatedShapesTests : TradingStore
{
    [Theory, MemberData(nameof(Stores))]
    public async Task Relations_of_a_derived_class_are_loaded_saved_and_queried(string provider)
    {
        await using var node = await StartAsync(provider);
        await using var db = new GarageContext(node) { DefaultConsistency = Consistency.None };
        var garage = new Garage { City = "Oslo", Machines = [new Van { Load = 3 }] };
        db.Machines.AddRange(new Machine(), new Van { Load = 5, Garage = garage }, new Van { Load = 7 });
        Assert.Equal(5, await db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        Assert.Equal([3, 5], await db.Machines.OfType<Van>().Where(v => v.Garage!.City == "Oslo").OrderBy(v => v.Load).Select(v => v.Load).ToListAsync(Token));
        var vans = await db.Machines.OfType<Van>().Include(v => v.Garage).ToListAsync(Token);
        Assert.Equal(2, vans.Count(v => v.Garage?.City == "Oslo"));
        var byCity = await db.Machines.OfType<Van>().Include(v => v.Garage).GroupBy(v => CityOf(v)).ToListAsync(Token);
        Assert.Equal(2, Assert.Single(byCity, cars => cars.Key == "Oslo").Count());
        var stored = await db.Garages.Include(g => g.Machines).SingleAsync(Token);
        Assert.Equal(2, stored.Machines.Count);
        db.Garages.Remove(stored);
        await db.SaveChangesAsync(Token);
        Assert.All(await db.Machines.OfType<Van>().ToListAsync(Token), v => Assert.Null(v.GarageId));
        Assert.Equal(4, await db.Machines.CountAsync(Token));
    }

    static string? CityOf(Van van) => van.Garage?.City;

    [Theory, MemberData(nameof(Stores))]
    public async Task Relations_of_classes_in_another_assembly_use_private_setters(string provider)
    {
        await using var node = await StartAsync(provider);
        await using var db = new ClinicContext(node) { DefaultConsistency = Consistency.None };
        var ann = new Patient(5, "Ann");
        ann.Come(1, "cough");
        db.Patients.Add(ann);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        ann.Come(2, "cold");
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        ann = await db.Patients.Include(p => p.Visits).SingleAsync(p => p.Visits.Any(v => v.Why == "cold"), Token);
        Assert.Equal(["cough", "cold"], ann.Visits.Select(v => v.Why));
        Assert.All(ann.Visits, visit => Assert.Same(ann, visit.Patient));
        ann.Forget(ann.Visits.First());
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal("Ann", (await db.Visits.AsNoTracking().Include(v => v.Patient).SingleAsync(Token)).Patient.Name);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Lazily_created_collection_of_a_class_in_another_assembly_is_included(string provider)
    {
        await using var node = await StartAsync(provider);
        await using var db = new ClinicContext(node) { DefaultConsistency = Consistency.None };
        var bob = new Patient(6, "Bob");
        bob.Refer(new Referral(1, "surgeon"));
        bob.Refer(new Referral(2, "dentist"));
        db.Patients.Add(bob);
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        bob = await db.Patients.Include(p => p.Referrals).SingleAsync(p => p.Name == "Bob", Token);
        Assert.Equal(["surgeon", "dentist"], bob.Referrals!.Select(r => r.To));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Foreign_keys_of_converted_types_are_followed(string provider)
    {
        await using var node = await StartAsync(provider);
        await using var db = new TeamContext(node) { DefaultConsistency = Consistency.None };
        db.Players.AddRange(new Player { Name = "Ann", Team = new Team { Name = "red" } }, new Player { Name = "Bob" });
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        db.ChangeTracker.Clear();
        var ann = await db.Players.Include(p => p.Team).SingleAsync(p => p.Team!.Name == "red", Token);
        Assert.Equal(("Ann", "red"), (ann.Name, ann.Team!.Name));
        db.Teams.Remove(ann.Team);
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        Assert.Null(ann.TeamId);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Plan_shows_conditions_and_uses_the_index_first(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(
            "Orders: index CustomerId where CustomerId = 1; check o.Agent.Name == \"Pia\"", db.Orders.Where(o => o.CustomerId == 1 && o.Agent!.Name == "Pia").Explain());
    }
}

/// <summary>A strongly typed key.</summary>
public readonly record struct TeamId(Guid Value);

public sealed class TeamIdConverter() : ValueConverter<TeamId, Guid>(id => id.Value, value => new TeamId(value));

public sealed class Team
{
    [Converter<TeamIdConverter>] public TeamId Id { get; set; } = new(Guid.NewGuid());
    public string Name { get; set; } = "";
}

public sealed class Player
{
    public Guid Id { get; set; }
    public string Name { get; set; } = "";
    [Converter<TeamIdConverter>] public TeamId? TeamId { get; set; }
    public Team? Team { get; set; }
}

public sealed partial class TeamContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Team> Teams { get; }

    public partial Keyspace<Player> Players { get; }
}

[Derived(typeof(Van))]
public class Machine
{
    public Guid Id { get; set; }
}

public class Van : Machine
{
    public int Load { get; set; }
    public Guid? GarageId { get; set; }
    public Garage? Garage { get; set; }
}

public class Garage
{
    public Guid Id { get; set; }
    public string City { get; set; } = "";
    public List<Machine> Machines { get; set; } = [];
}

public sealed partial class GarageContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Machine> Machines { get; }

    public partial Keyspace<Garage> Garages { get; }
}
