using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>An entity with unique indexes: of a property that may be null, of two properties together, and of a nested one.</summary>
[Serial]
public class Member
{
    public string Id { get; set; } = Guid.NewGuid().ToString("N");

    [Index(IsUnique = true)]
    public string? Email { get; set; }

    public string Team { get; set; } = Guid.NewGuid().ToString("N");

    public int Number { get; set; }

    public MemberBadge? Badge { get; set; }
}

public sealed class MemberBadge
{
    [Index(IsUnique = true)]
    public decimal Code { get; set; }
}

public sealed class Captain : Member
{
    [Index(IsUnique = true)]
    public string Band { get; set; } = "";
}

public sealed partial class TeamContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Member> Members { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Member>().HasIndex(member => new { member.Team, member.Number }).IsUnique();
        model.Entity<Member>().HasDiscriminator().HasValue<Captain>();
    }
}

/// <summary>A version of the class that does not have the indexes yet.</summary>
[Serial]
public sealed class OldMember
{
    public string Id { get; set; } = "";

    public string? Email { get; set; }
}

public sealed partial class OldTeamContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("Members")]
    public partial Keyspace<OldMember> Members { get; }
}

[Serial]
public sealed class Color
{
    public string Id { get; set; } = "";

    [Index(IsUnique = true)]
    public string Name { get; set; } = "";
}

public sealed partial class ColorContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Color> Colors { get; }
}

/// <summary>A later version, which has seeds.</summary>
public sealed partial class SeededColorContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Color> Colors { get; }

    protected override void OnModelCreating(ModelBuilder model) =>
        model.Entity<Color>().HasData(new Color { Id = "1", Name = "red" }, new Color { Id = "2", Name = "blue" });
}

public class UniqueIndexTests(StoreFixture store)
{
    [Fact]
    public async Task Second_entity_with_a_unique_value_is_not_saved_and_the_exception_names_the_first()
    {
        string email = NewText();
        var first = new Member { Email = email };
        await AddAsync(first);
        await using var db = NewContext();
        var second = new Member { Email = email };
        db.AddRange(new Member(), second);
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.Equal((second, "Email", (DocumentKey)first.Id), (error.Entry.Entity, error.Index.Name, error.ExistingKey!.Value));
        Assert.Equal([email], error.Values);
        Assert.Equal(
            $"The Member '{second.Id}' cannot be saved, because the Member '{first.Id}' has the same Email '{email}', and the index Email is unique. Nothing was saved. Give one of them another value.",
            error.Message);
        Assert.Equal(EntityState.Added, db.Entry(second).State);
        second.Email = NewText();
        Assert.Equal(2, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Two_entities_of_one_save_cannot_have_the_same_value()
    {
        string email = NewText();
        await using var db = NewContext();
        db.AddRange(new Member { Email = email }, new Member { Email = email });
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.NotEqual(error.Entry.Key, error.ExistingKey);
    }

    [Fact]
    public async Task Entities_with_a_null_value_are_not_compared()
    {
        await using var db = NewContext();
        db.AddRange(new Member(), new Member(), new Member { Badge = null });
        Assert.Equal(3, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Values_of_several_properties_are_unique_together()
    {
        string team = NewText();
        await AddAsync(new Member { Team = team, Number = 1 });
        await AddAsync(new Member { Team = team, Number = 2 });
        await using var db = NewContext();
        db.Add(new Member { Team = team, Number = 2 });
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.Equal("Team_Number", error.Index.Name);
        Assert.Equal("unique index Team_Number (Team, Number)", $"{error.Index}");
        Assert.Equal([team, 2], error.Values);
        Assert.Contains($"has the same Team '{team}' and Number 2, and the index Team_Number is unique.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nested_values_are_unique_as_numbers()
    {
        decimal code = Random.Shared.Next(1, int.MaxValue) + 0.5m;
        await AddAsync(new Member { Badge = new MemberBadge { Code = code } });
        await using var db = NewContext();
        db.Add(new Member { Badge = new MemberBadge { Code = code + 0.00m } });
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.Equal("Badge.Code", error.Index.Properties.Single());
    }

    [Fact]
    public async Task Index_of_a_derived_class_is_about_its_entities_alone()
    {
        string band = NewText();
        await AddAsync(new Captain { Band = band });
        await AddAsync(new Member());
        await using var db = NewContext();
        db.Add(new Captain { Band = band });
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(("Band", typeof(Captain)), (error.Index.Name, error.Index.DerivedType));
        Assert.Equal("unique index Band (Band) of Captain", $"{error.Index}");
    }

    [Fact]
    public void Index_is_described_by_its_properties_and_their_order()
    {
        Assert.Equal("index Late (Room, Day descending)", $"{new IndexModel("Late", ["Room", "Day"]) { Descending = [false, true] }}");
        Assert.Equal("unique index Elsewhere", $"{new IndexModel("Elsewhere", []) { IsUnique = true }}");
    }

    [Fact]
    public async Task Changed_value_is_checked_and_can_move_to_another_entity_in_one_save()
    {
        var (first, second) = (new Member { Email = NewText() }, new Member { Email = NewText() });
        await AddAsync(first);
        await AddAsync(second);
        await using var db = NewContext();
        var mine = (await db.Members.FindAsync([first.Id], Token))!;
        var other = (await db.Members.FindAsync([second.Id], Token))!;
        mine.Email = second.Email;
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        Assert.Equal((DocumentKey)second.Id, error.ExistingKey);
        other.Email = first.Email;
        Assert.Equal(2, await db.SaveChangesAsync(Token));
        db.Remove(other);
        await db.SaveChangesAsync(Token);
        await AddAsync(new Member { Email = first.Email });
    }

    [Fact]
    public async Task Update_of_a_query_is_checked()
    {
        var (first, second) = (new Member { Email = NewText() }, new Member { Email = NewText() });
        await AddAsync(first);
        await AddAsync(second);
        await using var db = NewContext();
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() =>
            db.Members.Where(member => member.Id == second.Id).ExecuteUpdateAsync(set => set.SetProperty(member => member.Email, first.Email), cancellationToken: Token));
        Assert.Equal(((DocumentKey)second.Id, (DocumentKey)first.Id), (error.Entry.Key, error.ExistingKey!.Value));
        Assert.Equal([first.Email], error.Values);
        Assert.Equal(second.Email, (await db.Members.FindAsync([second.Id], Token))!.Email);
    }

    [Fact]
    public async Task Version_of_the_class_without_the_index_keeps_it_too()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = new TeamContext(node))
        {
            db.Add(new Member { Id = "first", Email = "a" });
            await db.SaveChangesAsync(Token);
        }
        await cluster.StopAsync(1);
        node = await cluster.StartAsync(1);
        await using var old = new OldTeamContext(node);
        old.Add(new OldMember { Id = "second", Email = "a" });
        var error = await Assert.ThrowsAsync<UniqueConstraintException>(() => old.SaveChangesAsync(Token));
        Assert.Equal(("Email", (DocumentKey)"first"), (error.Index.Name, error.ExistingKey!.Value));
        Assert.Empty(error.Values);
        Assert.Contains("has the same values, and the index Email is unique.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entities_that_had_the_same_value_before_the_index_can_be_changed_and_removed()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var old = new OldTeamContext(node))
        {
            old.AddRange(new OldMember { Id = "1", Email = "a" }, new OldMember { Id = "2", Email = "a" }, new OldMember { Id = "3", Email = "b" });
            await old.SaveChangesAsync(Token);
        }
        await using var db = new TeamContext(node);
        var members = await db.Members.ToDictionaryAsync(member => member.Id, Token);
        foreach (var member in members.Values)
            member.Team = member.Id;
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal(3, await db.Members.ExecuteUpdateAsync(set => set.SetProperty(member => member.Number, 7), Token));
        db.ChangeTracker.Clear();
        var third = (await db.Members.FindAsync(["3"], Token))!;
        third.Email = "a";
        await Assert.ThrowsAsync<UniqueConstraintException>(() => db.SaveChangesAsync(Token));
        await db.Entry(third).ReloadAsync(Token);
        db.Remove((await db.Members.FindAsync(["1"], Token))!);
        (await db.Members.FindAsync(["2"], Token))!.Email = "c";
        third.Email = "a";
        Assert.Equal(3, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Index_that_was_removed_from_the_model_is_enforced_until_it_is_dropped()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = new TeamContext(node))
        {
            db.Add(new Member { Id = "first", Email = "a" });
            await db.SaveChangesAsync(Token);
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Members.DropUniqueIndexAsync("Email", Token));
            Assert.StartsWith("The unique index Email of Member is in the model", error.Message, StringComparison.Ordinal);
        }
        await cluster.StopAsync(1);
        node = await cluster.StartAsync(1);
        await using var old = new OldTeamContext(node);
        Assert.Equal(0, await old.Members.DropUniqueIndexAsync("Phone", Token));
        old.Add(new OldMember { Id = "second", Email = "a" });
        await Assert.ThrowsAsync<UniqueConstraintException>(() => old.SaveChangesAsync(Token));
        Assert.Equal(1, await old.Members.DropUniqueIndexAsync("Email", Token));
        Assert.Equal(1, await old.SaveChangesAsync(Token));
        Assert.Equal(0, await old.Members.DropUniqueIndexAsync("Email", Token));
        // The others are still in force.
        await using var again = new TeamContext(node);
        again.Add(new Member { Team = "t", Number = 1 });
        await again.SaveChangesAsync(Token);
        again.Add(new Member { Team = "t", Number = 1 });
        await Assert.ThrowsAsync<UniqueConstraintException>(() => again.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Only_indexes_of_serial_classes_can_be_dropped()
    {
        await using var db = BankContext.Of(store.Node);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Remarks.DropUniqueIndexAsync("Text", Token));
        Assert.StartsWith("Remark is not serial", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => db.Accounts.DropUniqueIndexAsync("", Token));
    }

    [Fact]
    public async Task Seed_whose_value_is_taken_is_left_out()
    {
        await using var cluster = new LocalCluster();
        var node = await cluster.StartAsync(1);
        await using (var db = new ColorContext(node))
        {
            db.Add(new Color { Id = "mine", Name = "red" });
            await db.SaveChangesAsync(Token);
        }
        await using var seeded = new SeededColorContext(node);
        Assert.Equal(["2", "mine"], await seeded.Colors.Select(color => color.Id).ToListAsync(Token));
    }

    [Fact]
    public async Task Value_that_three_nodes_add_at_the_same_time_is_saved_by_one()
    {
        await using var cluster = await SerialClusterTests.StartAsync(3);
        for (int round = 0; round < 3; round++)
        {
            string email = $"{round}@example.com";
            var results = await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(async () =>
            {
                await using var db = new TeamContext(cluster[node]);
                var member = new Member { Email = email };
                db.Add(member);
                try
                {
                    await db.SaveChangesAsync(Token);
                    return (Saved: (string?)member.Id, Owner: (DocumentKey?)null);
                }
                catch (UniqueConstraintException e)
                {
                    return (null, e.ExistingKey);
                }
            }, Token)));
            var winner = (DocumentKey)Assert.Single(results, static result => result.Saved is not null).Saved!;
            Assert.Equal(2, results.Count(result => result.Owner == winner));
            for (int node = 1; node <= 3; node++)
            {
                await using var db = new TeamContext(cluster[node]);
                Assert.Equal(1, await db.Members.WithConsistency(Consistency.Serial).CountAsync(member => member.Email == email, Token));
            }
        }
    }

    async Task AddAsync(Member member)
    {
        await using var db = NewContext();
        db.Add(member);
        await db.SaveChangesAsync(Token);
    }

    TeamContext NewContext() => new(store.Node);

    static string NewText() => Guid.NewGuid().ToString("N");

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
