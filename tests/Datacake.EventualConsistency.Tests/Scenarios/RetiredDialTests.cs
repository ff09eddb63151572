using System.Collections.Concurrent;
using System.Diagnostics;
using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>The dials of members that are retired, compared with those of a member that is only away.</summary>
public sealed class RetiredDialTests
{
    /// <summary>The dials of the member that is only away, during which the retired ones must not be dialed.</summary>
    const int ObservedDials = 4;

    readonly ConcurrentDictionary<string, int> _dials = [];

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Retired_member_is_not_dialed_until_it_starts_with_an_empty_store(bool isRunning)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Datacake.Rpc",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (span is { Kind: ActivityKind.Client } && span.GetTagItem("rpc.method") is "session" && span.GetTagItem("server.address") is string address)
                    _dials.AddOrUpdate(address, 1, static (_, count) => count + 1);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var nodes = await ScenarioNodes.StartAsync(3);
        await nodes[2].KillAsync();
        if (!isRunning)
            await nodes[3].KillAsync();
        await Eventually.WaitUntilAsync(
            () => nodes[1].StateOf(2) is { State: MemberConnection.Down } && (isRunning || nodes[1].StateOf(3) is { State: MemberConnection.Down }), "the nodes are down");

        await nodes[1].Store.RetireAsync(3, Canceled);
        if (isRunning)
            await nodes.WaitUntilRefusedAsync(1, 3);
        await PassAsync(2);
        int before = DialsOf(nodes[3]);
        await PassAsync(ObservedDials);

        Assert.Equal(before, DialsOf(nodes[3]));
        if (isRunning)
            await nodes[3].KillAsync();
        nodes[3].Wipe();
        await nodes[1].Store.RetireAsync(2, Canceled);
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilConnectedAsync(1, 3);

        // Waits until the member that is only away was dialed this often.
        Task PassAsync(int dials)
        {
            int end = DialsOf(nodes[2]) + dials;
            return Eventually.WaitUntilAsync(() => DialsOf(nodes[2]) >= end, "node 2 is dialed");
        }
    }

    int DialsOf(ScenarioNode node) => _dials.GetValueOrDefault(node.Address);
}
