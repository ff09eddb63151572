using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Serial;

/// <summary>A class whose former version has no index.</summary>
[Serial]
public sealed class Desk
{
    public int Id { get; set; }

    [Index] public string Floor { get; set; } = "";

    public string User { get; set; } = "";
}

[Serial]
public sealed class FormerDesk
{
    public int Id { get; set; }

    public string Floor { get; set; } = "";

    public string User { get; set; } = "";
}

public sealed partial class DeskContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("IndexedDesks")]
    public partial Keyspace<Desk> Desks { get; }
}

public sealed partial class FormerDeskContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("IndexedDesks")]
    public partial Keyspace<FormerDesk> Desks { get; }
}

/// <summary>Searches of an index that the node does not have which orders the saves.</summary>
public class UnknownIndexTests
{
    [Fact]
    public async Task Search_of_an_index_that_the_sequencer_does_not_have_is_checked_by_all_entities()
    {
        await using var cluster = await SerialClusterTests.StartAsync(2);
        int sequencer = (await cluster[1].OpenStoreAsync(Token)).SerialStatus.Sequencer!.Value;
        await using var former = new FormerDeskContext(cluster[sequencer]);
        former.AddRange(new FormerDesk { Floor = "1" }, new FormerDesk { Floor = "2" });
        await former.SaveChangesAsync(Token);
        await using var db = new DeskContext(cluster[3 - sequencer]);

        await using (var work = await db.BeginSerialAsync(Token))
        {
            await BookAsync();
            Assert.Equal(1, await work.SaveChangesAsync(Token));
        }
        // An entity that appears in the search is a conflict.
        db.ChangeTracker.Clear();
        await using (var work = await db.BeginSerialAsync(Token))
        {
            await BookAsync();
            former.Add(new FormerDesk { Floor = "1" });
            await former.SaveChangesAsync(Token);
            await Assert.ThrowsAsync<ReadConflictException>(() => work.SaveChangesAsync(Token));
        }
        // One that the search does not find is none, if this node has it when the sequencer asks for all entities.
        db.ChangeTracker.Clear();
        await using (var work = await db.BeginSerialAsync(Token))
        {
            await BookAsync();
            former.Add(new FormerDesk { Floor = "2" });
            await former.SaveChangesAsync(Token);
            Assert.Equal(1, await work.SaveChangesAsync(Token));
        }
        db.ChangeTracker.Clear();
        Assert.Equal(2, await db.Desks.Where(desk => desk.Floor == "1").ExecuteUpdateAsync(update => update.SetProperty(desk => desk.User, "Eve"), Token));
        Assert.Equal(["Eve", "Eve"], await former.Desks.AsNoTracking().WithConsistency(Consistency.Serial).Where(desk => desk.Floor == "1").Select(desk => desk.User).ToListAsync(Token));

        async Task BookAsync()
        {
            var desks = await db.Desks.Where(desk => desk.Floor == "1").ToListAsync(Token);
            desks[0].User += "Ada";
        }
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
