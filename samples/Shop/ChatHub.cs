using Datacake.Node;
using Microsoft.AspNetCore.SignalR;

namespace Datacake.Shop;

/// <summary>A chat of all visitors, whatever node each one is connected to.</summary>
sealed class ChatHub(DatacakeNode node) : Hub
{
    public override Task OnConnectedAsync() => Clients.Caller.SendAsync("connected", node.Id);

    public Task Say(string text) => Clients.All.SendAsync("said", node.Id, text);
}
