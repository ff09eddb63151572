using Microsoft.AspNetCore.SignalR;

namespace Datacake.AspNetCore.SignalR;

/// <summary>A connection of a client to this node.</summary>
sealed class LocalConnection(HubConnectionContext context)
{
    public HubConnectionContext Context => context;

    public string Id => context.ConnectionId;

    /// <summary>True if client and server count the messages, to continue after a lost connection. Then each is written by itself.</summary>
    // The type is a preview of ASP.NET Core, which a library cannot name.
    public bool CountsMessages { get; } = context.Features.Any(static feature => feature.Key.Name == "IStatefulReconnectFeature");

    /// <summary>Gets the lock of the members below.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Gets the groups with the connection, which its end leaves.</summary>
    public HashSet<string> Groups { get; } = new(StringComparer.Ordinal);

    public bool IsClosed { get; set; }
}
