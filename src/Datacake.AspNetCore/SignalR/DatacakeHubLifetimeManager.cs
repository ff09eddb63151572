using System.Diagnostics.CodeAnalysis;
using Datacake.AspNetCore.Nodes;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Datacake.AspNetCore.SignalR;

/// <summary>The connections of a hub on all nodes of a cluster, as SignalR uses them.</summary>
sealed class DatacakeHubLifetimeManager<THub> : HubLifetimeManager<THub>, IDisposable, IAsyncDisposable
    where THub : Hub
{
    public DatacakeHubLifetimeManager(
        IServiceProvider services, DatacakeBackplaneOptions options, IHubProtocolResolver resolver, IOptions<HubOptions> hubOptions, IOptions<HubOptions<THub>> ownOptions, ILoggerFactory loggers)
    {
        var protocols = ownOptions.Value.SupportedProtocols is { Count: > 0 } own ? own : hubOptions.Value.SupportedProtocols ?? [];
        Backplane = new Backplane(
            typeof(THub).ToString(),
            options,
            () => RegisteredNode.Of(services, options.FindNode, "The SignalR backplane"),
            new HubProtocols(resolver, [.. protocols]),
            loggers.CreateLogger("Datacake.AspNetCore.SignalR"));
    }

    internal Backplane Backplane { get; }

    public override Task OnConnectedAsync(HubConnectionContext connection) => Backplane.AddAsync(connection);

    public override Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        Backplane.Remove(connection);
        return Task.CompletedTask;
    }

    public override Task SendAllAsync(string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(MessageTarget.All([]), methodName, args, cancellationToken);

    public override Task SendAllExceptAsync(string methodName, object?[] args, IReadOnlyList<string> excludedConnectionIds, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(MessageTarget.All(excludedConnectionIds), methodName, args, cancellationToken);

    public override Task SendConnectionAsync(string connectionId, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendToConnectionsAsync([connectionId], methodName, args, cancellationToken);

    public override Task SendConnectionsAsync(IReadOnlyList<string> connectionIds, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendToConnectionsAsync(connectionIds, methodName, args, cancellationToken);

    public override Task SendGroupAsync(string groupName, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(MessageTarget.Of(MessageScope.Groups, groupName), methodName, args, cancellationToken);

    public override Task SendGroupsAsync(IReadOnlyList<string> groupNames, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(MessageTarget.Of(MessageScope.Groups, groupNames), methodName, args, cancellationToken);

    public override Task SendGroupExceptAsync(
        string groupName, string methodName, object?[] args, IReadOnlyList<string> excludedConnectionIds, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(new MessageTarget(MessageScope.Groups, [groupName], excludedConnectionIds), methodName, args, cancellationToken);

    public override Task SendUserAsync(string userId, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(MessageTarget.Of(MessageScope.Users, userId), methodName, args, cancellationToken);

    public override Task SendUsersAsync(IReadOnlyList<string> userIds, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        Backplane.SendAsync(MessageTarget.Of(MessageScope.Users, userIds), methodName, args, cancellationToken);

    public override Task AddToGroupAsync(string connectionId, string groupName, CancellationToken cancellationToken = default) =>
        ChangeGroupAsync(EntryKind.AddToGroup, connectionId, groupName, cancellationToken);

    public override Task RemoveFromGroupAsync(string connectionId, string groupName, CancellationToken cancellationToken = default) =>
        ChangeGroupAsync(EntryKind.RemoveFromGroup, connectionId, groupName, cancellationToken);

    public override Task<T> InvokeConnectionAsync<T>(string connectionId, string methodName, object?[] args, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connectionId);
        return Backplane.InvokeAsync<T>(connectionId, methodName, args, cancellationToken);
    }

    public override Task SetConnectionResultAsync(string connectionId, CompletionMessage result)
    {
        // A result that nobody awaits any longer comes too late, which is no error.
        Backplane.Invocations.Complete(connectionId, result);
        return Task.CompletedTask;
    }

    public override bool TryGetReturnType(string invocationId, [NotNullWhen(true)] out Type? type) => Backplane.Invocations.TryGetReturnType(invocationId, out type);

    public ValueTask DisposeAsync() => Backplane.DisposeAsync();

    // A service provider that is not disposed asynchronously refuses services that can only be disposed so.
    public void Dispose() => Backplane.DisposeAsync().AsTask().GetAwaiter().GetResult();

    Task ChangeGroupAsync(EntryKind kind, string connectionId, string groupName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connectionId);
        ArgumentNullException.ThrowIfNull(groupName);
        return Backplane.ChangeGroupAsync(kind, connectionId, groupName, cancellationToken);
    }
}
