using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.SignalR;

namespace Datacake.AspNetCore.Tests.SignalR;

public sealed class ChatHub : Hub
{
    public string Id() => Context.ConnectionId;

    public Task ToOthers(string text) => Clients.Others.SendAsync("receive", text);

    public async Task Burst(string group, string name, int count)
    {
        for (int i = 0; i < count; i++)
            await Clients.Group(group).SendAsync("receive", $"{name}{i}");
    }

    public Task Join(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

    public async IAsyncEnumerable<int> Count(int to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int i = 0; i < to; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Context.ConnectionAborted.ThrowIfCancellationRequested();
            yield return i;
            await Task.Yield();
        }
    }
}

public sealed class NewsHub : Hub
{
    public string Id() => Context.ConnectionId;
}

/// <summary>A hub whose peers are slow.</summary>
public sealed class BusyHub : Hub
{
    public string Id() => Context.ConnectionId;
}

/// <summary>Takes the user from the address, because tests need no passwords.</summary>
sealed class UserOfAddress : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection) => connection.GetHttpContext()?.Request.Query["user"];
}
