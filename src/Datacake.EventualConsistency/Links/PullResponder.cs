using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The answers to the pulls of one peer within a session, one at a time: a new request replaces the current answer. Used by one caller at a
/// time.
/// </summary>
sealed class PullResponder(PeerLink link, Replica replica, IStorage storage, DamageLog damages, ILogger logger)
{
    // The lists of small documents in a longer part would be large objects for the runtime, here and at the requester, which are expensive to
    // allocate and to collect.
    public const int MaxPartLength = 128 * 1024;

    readonly PullServer _server = new(replica.Catalog, MaxPartLength);
    readonly LaneWriter _lane = new(link.Stream, MessageLane.Answer);
    CancellationTokenSource? _cancellation;
    Task _answering = Task.CompletedTask;
    ulong _lastStream;                      // the number of the last answer in the session
    bool _hasFailed;                        // the last answer has failed, which was logged

    public async ValueTask StartAsync(PullRequest request, CancellationToken cancellationToken)
    {
        await StopAsync().ConfigureAwait(false);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _answering = AnswerAsync(request, _cancellation.Token);
    }

    public async ValueTask StopAsync()
    {
        if (_cancellation is null)
            return;
        await _cancellation.CancelAsync().ConfigureAwait(false);
        await _answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _cancellation.Dispose();
        _cancellation = null;
    }

    async Task AnswerAsync(PullRequest request, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        bool isAnswered = false;
        try
        {
            // A record that was repaired from other members may show more than this store claims.
            isAnswered = replica.IsJoined && damages.Count == 0 && !replica.Uncounted.Any() && await SendPartsAsync(request, cancellationToken).ConfigureAwait(false);
            _hasFailed &= !isAnswered;
        }
        catch (Exception e) when (e is not RpcException && !cancellationToken.IsCancellationRequested)
        {
            // The rest of the session continues. The peer asks again, or asks another member.
            if (!_hasFailed)
                StoreLog.AnswerFailed(logger, e, link.Peer);
            _hasFailed = true;
        }
        if (!isAnswered && link.EncodeForPeer(new PullDeclined(request.Pull)) is { } declined)
            await _lane.WriteAsync(declined, cancellationToken).ConfigureAwait(false);
    }

    async ValueTask<bool> SendPartsAsync(PullRequest request, CancellationToken cancellationToken)
    {
        using var snapshot = new YieldingSnapshot(await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false));
        using var encoded = new PooledWriter();
        bool isAnswered = false;
        await foreach (var part in _server.AnswerAsync(snapshot, request, isOfLower: link.Peer < replica.Node, ++_lastStream, cancellationToken).ConfigureAwait(false))
        {
            if (part.FormFor(link.Protocol) is not { } sent)
                return false;                   // an answer that lacks a part is declined
            encoded.Clear();
            sent.EncodeTo(encoded);
            await _lane.WriteAsync(encoded.WrittenMemory, cancellationToken).ConfigureAwait(false);
            isAnswered = true;
        }
        return isAnswered;
    }
}
