using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Following;

/// <summary>One follower of a member, as long as it is connected: sends what it lacks, and then all changes [R21].</summary>
sealed class FollowerSession(SessionContext context, FollowerFeed feed, FollowerPresence presence, RpcStream stream)
{
    /// <summary>The longest time between two signs of life.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    readonly LaneWriter _lane = new(stream, MessageLane.Answer);
    long _said = long.MinValue;             // when the last sign of life was sent

    /// <summary>Returns true if the store is a member that can serve followers at present.</summary>
    public static bool CanServe(SessionContext context) =>
        context.Replica is { IsJoined: true, Exclusion: null } replica && context.Damages.Count == 0 && !replica.Uncounted.Any();

    /// <summary>Serves the follower until the stream breaks.</summary>
    /// <exception cref="RpcException">The stream is broken.</exception>
    /// <exception cref="OperationCanceledException">The store closes, or the follower has closed the stream.</exception>
    public async Task RunAsync(FollowRequest request, CancellationToken cancellationToken)
    {
        await feed.SubscribeAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await SayAsync(cancellationToken).ConfigureAwait(false);
            var pull = request.ToPull();
            while (true)
            {
                long position = feed.Position;
                if (await SendDifferenceAsync(pull, cancellationToken).ConfigureAwait(false) is not { } known)
                {
                    // This member lacks something that the follower has truncated, or cannot serve at present. The follower tries another one.
                    await _lane.WriteAsync(new PullDeclined(0).Encoded, cancellationToken).ConfigureAwait(false);
                    return;
                }
                if (await SendFeedAsync(position, known, cancellationToken).ConfigureAwait(false) is not { } sent)
                    return;
                pull = new PullRequest(Pull: 0, sent, VersionVector.Empty, IsJoining: false);
            }
        }
        finally
        {
            await feed.UnsubscribeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sends the difference between the follower and a snapshot of the store, or the whole snapshot.</summary>
    /// <returns>The known set of the snapshot; null if there is no answer.</returns>
    async ValueTask<VersionVector?> SendDifferenceAsync(PullRequest pull, CancellationToken cancellationToken)
    {
        if (!CanServe(context))
            return null;
        using var snapshot = new YieldingSnapshot(await context.Storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false));
        var known = (await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false)).Known;
        using var encoded = new PooledWriter();
        bool isAnswered = false;
        await foreach (var part in feed.NewServer().AnswerAsync(snapshot, pull, isOfLower: false, stream: 0, cancellationToken).ConfigureAwait(false))
        {
            encoded.Clear();
            part.EncodeTo(encoded);
            await _lane.WriteAsync(encoded.WrittenMemory, cancellationToken).ConfigureAwait(false);
            isAnswered = true;
            await SayIfDueAsync(cancellationToken).ConfigureAwait(false);
        }
        return isAnswered ? known : null;
    }

    /// <summary>Sends the steps of the feed, until it has forgotten the next one. Returns what the follower knows then; null if this member can no longer serve it.</summary>
    async ValueTask<VersionVector?> SendFeedAsync(long position, VersionVector known, CancellationToken cancellationToken)
    {
        while (true)
        {
            // The follower tries another member, and comes back.
            if (!CanServe(context))
            {
                var refusal = new Refusal(RefusalKind.Other, $"node {context.Node.Id} can no longer serve followers: it is not part of its cluster, or has damaged records");
                await _lane.WriteAsync(refusal.Encoded, cancellationToken).ConfigureAwait(false);
                return null;
            }
            var (step, isForgotten) = await feed.ReadAsync(position, Heartbeat, cancellationToken).ConfigureAwait(false);
            if (isForgotten)
                return known;
            if (step is not null)
            {
                position++;
                if (step.IsNewTo(known))
                {
                    foreach (byte[] message in step.Messages)
                        await _lane.WriteAsync(message, cancellationToken).ConfigureAwait(false);
                    known = known.Union(step.Known);
                }
            }
            await SayIfDueAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    async ValueTask SayIfDueAsync(CancellationToken cancellationToken)
    {
        if (context.Node.TimeProvider.GetElapsedTime(_said) >= Heartbeat)
            await SayAsync(cancellationToken).ConfigureAwait(false);
    }

    async ValueTask SayAsync(CancellationToken cancellationToken)
    {
        _said = context.Node.TimeProvider.GetTimestamp();
        presence.Note();
        await _lane.WriteAsync(feed.State.Encoded, cancellationToken).ConfigureAwait(false);
    }
}
