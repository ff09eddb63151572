using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests.SignalR;

public class ClientResultTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_of_any_node_returns_a_result(bool usesMessagePack)
    {
        await using var cluster = await HubCluster.StartAsync(3);
        await using var here = await HubClient.ConnectAsync(cluster[0], usesMessagePack: usesMessagePack, configure: static connection => connection.On("double", static (int number) => number * 2));
        await using var there = await HubClient.ConnectAsync(cluster[2], usesMessagePack: usesMessagePack, configure: static connection => connection.On("double", static (int number) => number * 2));

        Assert.Equal(42, await cluster.Chat(0).Clients.Client(here.Id).InvokeAsync<int>("double", 21, Canceled));
        int[] results = await Task.WhenAll(Enumerable.Range(0, 100).Select(number => cluster.Chat(0).Clients.Client(there.Id).InvokeAsync<int>("double", number, Canceled)));

        Assert.Equal(Enumerable.Range(0, 100).Select(static number => number * 2), results);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Null_is_a_result(int node)
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var client = await HubClient.ConnectAsync(cluster[node], configure: static connection => connection.On("find", static () => (string?)null));

        Assert.Null(await cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<string?>("find", Canceled));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Error_of_the_client_fails_the_invocation(int node)
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var client = await HubClient.ConnectAsync(cluster[node], configure: static connection => connection.On("fail", static int () => throw new InvalidOperationException("no cake")));

        var error = await Assert.ThrowsAsync<HubException>(() => cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("fail", Canceled));

        Assert.Contains("no cake", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Result_of_another_type_fails_the_invocation(int node)
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var client = await HubClient.ConnectAsync(cluster[node], configure: static connection => connection.On("text", static () => "no number"));

        await Assert.ThrowsAsync<HubException>(() => cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("text", Canceled));
    }

    [Fact]
    public async Task Connection_that_does_not_exist_fails_the_invocation()
    {
        await using var cluster = await HubCluster.StartAsync(2);
        await using var other = await HubClient.ConnectAsync(cluster[1]);

        var error = await Assert.ThrowsAsync<IOException>(() => cluster.Chat(0).Clients.Client("unknown").InvokeAsync<int>("double", 21, Canceled));

        Assert.Equal("Connection 'unknown' does not exist.", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Connection_that_closes_fails_the_invocation(int node)
    {
        await using var cluster = await HubCluster.StartAsync(2);
        var asked = new TaskCompletionSource();
        await using var client = await HubClient.ConnectAsync(cluster[node], configure: connection => connection.On("wait", () => WaitAsync(asked)));
        var invocation = cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("wait", Canceled);
        await asked.Task.WaitAsync(Eventually.Deadline, Canceled);

        await client.Connection.StopAsync(Canceled);

        var error = await Assert.ThrowsAsync<IOException>(() => invocation);
        Assert.Contains($"Connection '{client.Id}' has closed", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Canceled_invocation_ends_and_a_late_result_is_no_error(int node)
    {
        await using var cluster = await HubCluster.StartAsync(2);
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource<int>();
        await using var client = await HubClient.ConnectAsync(cluster[node], configure: connection =>
        {
            connection.On("wait", () =>
            {
                asked.TrySetResult();
                return answer.Task;
            });
            connection.On("double", static (int number) => number * 2);
        });
        using var cancellation = new CancellationTokenSource();
        var invocation = cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("wait", cancellation.Token);
        await asked.Task.WaitAsync(Eventually.Deadline, Canceled);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => invocation);
        answer.SetResult(1);

        Assert.Equal(42, await cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("double", 21, Canceled));
    }

    [Fact]
    public async Task Node_that_crashes_fails_the_invocations_of_its_clients()
    {
        await using var cluster = await HubCluster.StartAsync(3);
        var asked = new TaskCompletionSource();
        await using var client = await HubClient.ConnectAsync(cluster[2], configure: connection => connection.On("wait", () => WaitAsync(asked)));
        var invocation = cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("wait", Canceled);
        await asked.Task.WaitAsync(Eventually.Deadline, Canceled);

        await cluster.CrashAsync(2);

        var error = await Assert.ThrowsAsync<IOException>(() => invocation);
        Assert.Contains("2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_cannot_answer_for_another_one()
    {
        await using var cluster = await HubCluster.StartAsync(1);
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource<int>();
        await using var client = await HubClient.ConnectAsync(cluster[0], configure: connection => connection.On("wait", () =>
        {
            asked.TrySetResult();
            return answer.Task;
        }));
        await using var stranger = await HubClient.ConnectAsync(cluster[0]);
        var manager = cluster[0].Services.GetRequiredService<HubLifetimeManager<ChatHub>>();
        var invocation = cluster.Chat(0).Clients.Client(client.Id).InvokeAsync<int>("wait", Canceled);
        await asked.Task.WaitAsync(Eventually.Deadline, Canceled);

        // The ids of invocations end with their number, and a stranger may guess one.
        var backplane = ((Datacake.AspNetCore.SignalR.DatacakeHubLifetimeManager<ChatHub>)manager).Backplane;
        string id = Assert.Single(backplane.Invocations.Ids);
        await manager.SetConnectionResultAsync(stranger.Id, new CompletionMessage(id, null, 1, hasResult: true));
        answer.SetResult(42);

        Assert.Equal(42, await invocation);
        Assert.Empty(backplane.Invocations.Ids);
    }

    static async Task<int> WaitAsync(TaskCompletionSource asked)
    {
        asked.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, Canceled);
        return 0;
    }
}
