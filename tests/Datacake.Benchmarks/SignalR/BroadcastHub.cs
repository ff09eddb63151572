using Microsoft.AspNetCore.SignalR;

namespace Datacake.Benchmarks.SignalR;

/// <summary>A hub that sends what it receives to a group, a user or all.</summary>
sealed class BroadcastHub : Hub
{
    public const string Path = "/hub", Receive = "r", UserKey = "user", GroupKey = "group";

    public override async Task OnConnectedAsync()
    {
        if (Context.GetHttpContext()?.Request.Query[GroupKey].ToString() is { Length: > 0 } group)
            await Groups.AddToGroupAsync(Context.ConnectionId, group);
    }

    /// <summary>Returns when the connection has joined its group.</summary>
    public bool IsReady() => !Context.ConnectionAborted.IsCancellationRequested;

    public Task ToAll(long message, string text) => Clients.All.SendAsync(Receive, message, text);

    public Task ToGroup(string group, long message, string text) => Clients.Group(group).SendAsync(Receive, message, text);

    /// <summary>Sends messages with successive numbers, one after another.</summary>
    public async Task Burst(string user, long first, int count, string text)
    {
        for (int i = 0; i < count; i++)
            await Clients.User(user).SendAsync(Receive, first + i, text);
    }

    public Task ToUser(string user, long message, string text) => Clients.User(user).SendAsync(Receive, message, text);
}

/// <summary>Takes the user from the address.</summary>
sealed class UserOfAddress : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection) => connection.GetHttpContext()?.Request.Query[BroadcastHub.UserKey];
}
