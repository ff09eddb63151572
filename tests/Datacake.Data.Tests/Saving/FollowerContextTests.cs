using Datacake.Data.Tests.Serial;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Data.Tests.Saving;

/// <summary>Contexts on a node that follows a cluster. What they save goes through a member.</summary>
public class FollowerContextTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Context_of_a_follower_saves_through_a_member_and_reads_what_it_saved()
    {
        await using var cluster = new LocalCluster();
        await cluster.StartAsync(1);
        await cluster.StartAsync(2);
        await using var follower = await FollowAsync(cluster[1], cluster[2]);
        await using var db = new FollowedContext(follower);
        var tea = new FollowedItem { Id = 1, Name = "tea", Price = 3, Tags = { "hot" } };
        db.Items.Add(tea);
        db.Items.Add(new FollowedItem { Id = 2, Name = "juice", Price = 5 });

        var saved = await db.SaveChangesAsync(Consistency.All, Token);
        tea.Price = 4;
        tea.Sold += 2;
        tea.Tags.Add("green");
        await db.SaveChangesAsync(Consistency.Quorum, Token);

        Assert.Equal(2, saved.Count);
        await using var read = new FollowedContext(follower);
        Assert.Equal(["juice", "tea"], await read.Items.OrderBy(static item => item.Name).Select(static item => item.Name).ToListAsync(Token));
        var found = (await read.Items.FindAsync([1], Token))!;
        Assert.Equal((4m, 2, 2), (found.Price, found.Sold, found.Tags.Count));
        await using var member = new FollowedContext(cluster[2]);
        Assert.Equal(2, (await member.Items.WithConsistency(Consistency.Quorum).SingleAsync(static item => item.Name == "tea", Token)).Sold);
    }

    [Fact]
    public async Task Entity_that_a_member_has_changed_meanwhile_is_a_concurrency_conflict_at_the_follower()
    {
        await using var cluster = new LocalCluster();
        await cluster.StartAsync(1);
        await using var follower = await FollowAsync(cluster[1]);
        await using (var setup = new FollowedContext(cluster[1]))
        {
            setup.Items.Add(new FollowedItem { Id = 1, Name = "tea", Version = 1 });
            var token = (await setup.SaveChangesAsync(Token)).Token;
            await (await follower.OpenStoreAsync(Token)).WaitForAsync(token, Token);
        }
        await using var db = new FollowedContext(follower);
        var mine = (await db.Items.FindAsync([1], Token))!;
        await using (var other = new FollowedContext(cluster[1]))
        {
            var theirs = (await other.Items.FindAsync([1], Token))!;
            (theirs.Name, theirs.Version) = ("coffee", 2);
            await other.SaveChangesAsync(Token);
        }

        (mine.Name, mine.Version) = ("water", 2);
        await Assert.ThrowsAsync<EntityConflictException>(async () => await db.SaveChangesAsync(Token));

        await using var read = new FollowedContext(cluster[1]);
        Assert.Equal("coffee", (await read.Items.FindAsync([1], Token))!.Name);
    }

    [Fact]
    public async Task Serial_entities_are_transferred_by_followers_and_members_at_once()
    {
        await using var cluster = new LocalCluster();
        await cluster.StartAsync(1);
        await using var follower = await FollowAsync(cluster[1]);
        string a = await BankContext.OpenAccountAsync(cluster[1]), b = await BankContext.OpenAccountAsync(cluster[1]);
        await Task.WhenAll(new[] { follower, cluster[1] }.Select(node => Task.Run(
            async () =>
            {
                for (int done = 0; done < 10;)
                {
                    await using var db = new BankContext(node);
                    await db.RunSerialAsync(
                        async () =>
                        {
                            (await db.Accounts.FindAsync([a], Token))!.Balance -= 1;
                            (await db.Accounts.FindAsync([b], Token))!.Balance += 1;
                        },
                        Token);
                    done++;
                }
            },
            Token)));

        await using var read = new BankContext(follower);
        await using var work = await read.BeginSerialAsync(Token);
        Assert.Equal((80m, 120m), ((await read.Accounts.FindAsync([a], Token))!.Balance, (await read.Accounts.FindAsync([b], Token))!.Balance));
    }

    [Fact]
    public async Task Watch_of_a_follower_tells_of_the_changes_of_members()
    {
        await using var cluster = new LocalCluster();
        await cluster.StartAsync(1);
        await using var follower = await FollowAsync(cluster[1]);
        await using var db = new FollowedContext(follower);
        await (await follower.OpenStoreAsync(Token)).Joined.WaitAsync(Eventually.Deadline, Token);
        await using var changes = db.Items.WatchAsync(Token).GetAsyncEnumerator(Token);
        var next = changes.MoveNextAsync();
        await using var member = new FollowedContext(cluster[1]);
        member.Items.Add(new FollowedItem { Id = 7, Name = "tea" });
        await member.SaveChangesAsync(Token);

        while (await next.AsTask().WaitAsync(Eventually.Deadline, Token) && !changes.Current.Added.Any())
            next = changes.MoveNextAsync();
        Assert.Equal("tea", changes.Current.Added.Single().Name);
    }

    static Task<DatacakeNode> FollowAsync(params DatacakeNode[] members) => DatacakeNode.StartAsync(
        options => options.AsFollower([.. members.Select(static member => member.Address)]).WithLoggerFactory(NullLoggerFactory.Instance)
            .WithStore(static store => store.AcknowledgmentTimeout = Eventually.Deadline).UseMemory(),
        Token).AsTask();
}

public sealed class FollowedItem
{
    public int Id { get; set; }

    public string Name { get; set; } = "";

    public decimal Price { get; set; }

    [Counter]
    public int Sold { get; set; }

    public HashSet<string> Tags { get; } = [];

    [System.ComponentModel.DataAnnotations.ConcurrencyCheck]
    public int Version { get; set; }
}

public sealed partial class FollowedContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("FollowedItems")]
    public partial Keyspace<FollowedItem> Items { get; }
}
