using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Members that are retired or forgotten, and invalid requests to do so.</summary>
public sealed class RemovingMembersTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Running_retired_node_refuses_writes_at_every_level_with_the_reason_even_after_a_restart()
    {
        await using var nodes = await ScenarioNodes.StartAsync(3);
        await nodes[1].PutAsync(1, "cake", Consistency.All);
        await nodes[1].Store.RetireAsync(3, Canceled);
        await Eventually.WaitUntilAsync(() => nodes[3].Store.Exclusion is not null, "node 3 knows that it is retired");
        await RefusesWritesAsync();
        await nodes[3].KillAsync();
        await nodes.StartNodeAsync(3);
        await RefusesWritesAsync();
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(2, "pie", Consistency.All);
        Assert.Equal("cake", await nodes[1].GetAsync(1));

        async Task RefusesWritesAsync()
        {
            foreach (var level in new[] { Consistency.None, Consistency.One, Consistency.Quorum, Consistency.All })
            {
                var failure = await Assert.ThrowsAsync<StoreExcludedException>(() => nodes[3].PutAsync(1, "lost", level));
                Assert.Contains("retired", failure.Reason, StringComparison.Ordinal);
            }
            Assert.Equal("cake", await nodes[3].GetAsync(1));
        }
    }

    [Fact]
    public async Task Own_node_and_unknown_nodes_cannot_be_retired_or_forgotten()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        foreach (byte unknown in new byte[] { 3, 0, 255 })
        {
            Assert.Contains($"Node {unknown} is not a member", await MessageAsync<ArgumentException>(store => store.RetireAsync(unknown, Canceled)), StringComparison.Ordinal);
            Assert.Contains($"Node {unknown} is not a member", await MessageAsync<ArgumentException>(store => store.ForgetAsync(unknown, Canceled)), StringComparison.Ordinal);
        }
        Assert.Contains("Node 1 cannot retire itself", await MessageAsync<ArgumentException>(store => store.RetireAsync(1, Canceled)), StringComparison.Ordinal);
        Assert.Contains("Node 1 is this node itself", await MessageAsync<ArgumentException>(store => store.ForgetAsync(1, Canceled)), StringComparison.Ordinal);
        Assert.Contains("Node 2 cannot be forgotten", await MessageAsync<InvalidOperationException>(store => store.ForgetAsync(2, Canceled)), StringComparison.Ordinal);
        await nodes[1].PutAsync(1, "cake", Consistency.All);

        async Task<string> MessageAsync<T>(Func<ReplicatedStore, ValueTask> act)
            where T : Exception => (await Assert.ThrowsAsync<T>(async () => await act(nodes[1].Store))).Message;
    }

    [Fact]
    public async Task Forgotten_node_that_returns_gets_the_writes_it_missed_and_shares_its_own()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        await nodes[1].PutAsync(1, "cake", Consistency.All);
        await nodes[2].PutAsync(2, "pie", Consistency.All);
        await nodes[2].KillAsync();
        await Eventually.WaitUntilAsync(() => nodes[1].Store.Members.Count(member => member.IsUp) == 1, "node 1 misses node 2");
        await nodes[1].Store.ForgetAsync(2, Canceled);
        await nodes[1].Cakes.DeleteAsync(1, Consistency.None, Canceled);
        await nodes[1].PutAsync(3, "bread", Consistency.None);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes.WaitUntilEqualAsync(2, 1, 2);
        Assert.Null(await nodes[2].GetAsync(1));
    }
}
