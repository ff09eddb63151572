using Datacake.Administration.Json;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Options;
using Datacake.Storage;

namespace Datacake.Administration;

/// <summary>The state of an open store of a node.</summary>
/// <param name="Name">The name of the store; an empty text for the node's own store.</param>
/// <param name="HasJoined">True if the store is part of its cluster or, as a follower, has a copy of it.</param>
/// <param name="Obstacle">The reason why the store has not joined yet, with the remedy; null if it has, or if the reason is not known yet.</param>
/// <param name="Members">The ids of the members that count for the store.</param>
/// <param name="Keyspaces">The number of keyspaces.</param>
/// <param name="Documents">The number of documents in all keyspaces.</param>
/// <param name="Storage">The kind of the storage, such as <c>SqliteStorage</c>.</param>
/// <param name="StorageBytes">The size of the storage on the disk; null if it is in memory.</param>
/// <param name="Follows">The connection of a follower to the member that it follows; null for a member.</param>
/// <param name="FollowerCount">The number of followers that are connected to this node.</param>
/// <param name="Followers">The addresses of the first 100 followers that are connected to this node.</param>
/// <param name="Consumers">The durable consumers of the store.</param>
/// <param name="Backups">The state of the scheduled backups; null if there are none.</param>
/// <param name="Failure">The reason why the size and the consumers cannot be read, such as a broken disk; null if they can.</param>
public sealed record StoreStatus(
    string Name, bool HasJoined, string? Obstacle, IReadOnlyList<int> Members, int Keyspaces, long Documents, string Storage, long? StorageBytes, FollowingStatus? Follows,
    int FollowerCount, IReadOnlyList<string> Followers, IReadOnlyList<ConsumerStatus> Consumers, BackupStatus? Backups, string? Failure = null)
{
    const int MaxListedFollowers = 100;

    internal static async ValueTask<StoreStatus> OfAsync(ReplicatedStore store, BackupStatus? backups, CancellationToken cancellationToken)
    {
        IReadOnlyList<ConsumerStatus> consumers = [];
        long? bytes = null;
        string? failure = null;
        try
        {
            consumers = [.. (await store.ListConsumersAsync(cancellationToken).ConfigureAwait(false))
                .Select(static consumer => new ConsumerStatus(KeyJson.Of(consumer.Key).ToString(), consumer.ProcessedUpTo, consumer.IsLoading))];
            if (store.Storage is IDurableStorage files)
                bytes = await files.GetSizeOnDiskAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // One store that is broken or closing must not hide all others.
            failure = FailureOf(e);
        }
        var follows = store.FollowStatus;
        return new StoreStatus(
            store.Name, store.JoinStatus.IsJoined, store.JoinObstacle is { } obstacle ? SettingNames.ForStore(obstacle.ToString(), store.Name) : null,
            [.. store.Members.Select(static member => (int)member.NodeId).Order()], store.ListKeyspaces().Count, store.DocumentCount, store.Storage.GetType().Name,
            bytes,
            follows is null ? null : new FollowingStatus(follows.IsConnected, follows.NodeId, follows.Address, follows.Since, follows.Behind?.TotalSeconds, follows.Failure),
            store.Followers, store.ListFollowers(MaxListedFollowers), consumers, backups, failure);
    }

    /// <summary>Returns the failure of a store as a sentence for an operator.</summary>
    internal static string FailureOf(Exception exception) => exception is ObjectDisposedException ? "The store is closing." : exception.Message;
}
