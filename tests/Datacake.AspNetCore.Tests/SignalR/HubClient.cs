using System.Collections.Concurrent;
using Datacake.AspNetCore.Tests.Fixtures;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests.SignalR;

/// <summary>A client of a hub, with the messages that it has received.</summary>
sealed class HubClient : IAsyncDisposable
{
    const string End = "end of the test";

    readonly ConcurrentQueue<string> _received = new();

    HubClient(HubConnection connection)
    {
        Connection = connection;
        connection.On<string>("receive", _received.Enqueue);
    }

    public HubConnection Connection { get; }

    public string Id { get; private set; } = "";

    public IReadOnlyCollection<string> Received => _received;

    public static async Task<HubClient> ConnectAsync(WebNode web, string hub = "chat", string? user = null, bool usesMessagePack = false, bool countsMessages = false, Action<HubConnection>? configure = null)
    {
        var builder = new HubConnectionBuilder().WithUrl($"{web.App.Urls.Single()}/{hub}{(user is null ? "" : $"?user={user}")}");
        if (usesMessagePack)
            builder.AddMessagePackProtocol();
        if (countsMessages)
            builder.WithStatefulReconnect();
        var client = new HubClient(builder.Build());
        configure?.Invoke(client.Connection);
        await client.Connection.StartAsync(TestContext.Current.CancellationToken);
        // The answer shows that the server has registered the connection.
        client.Id = await client.Connection.InvokeAsync<string>("Id", TestContext.Current.CancellationToken);
        return client;
    }

    /// <summary>Waits until the client has received a text.</summary>
    public Task WaitForAsync(string text) =>
        Eventually.WaitUntilAsync(() => _received.Contains(text), () => $"'{text}' arrives, but only: {string.Join(", ", _received)}");

    /// <summary>
    /// Sends a last message to each client from the node that has sent the others, and returns what each has received before it, in this order: a message arrives before later ones of its sender.
    /// </summary>
    public static async Task<string[]> ReceivedAsync(HubCluster cluster, int sender, params HubClient[] clients)
    {
        string end = $"{End} {Guid.NewGuid()}";
        await cluster.Chat(sender).Clients.Clients([.. clients.Select(static client => client.Id)]).SendAsync("receive", end, TestContext.Current.CancellationToken);
        foreach (var client in clients)
            await client.WaitForAsync(end);
        return [.. clients.Select(static client => string.Join(' ', client._received.Where(static text => !text.StartsWith(End, StringComparison.Ordinal))))];
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
