using System.Security.Cryptography;
using Datacake.Crdt;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Remote;

/// <summary>Has the transactions of a store that is no member committed by one. Thread-safe.</summary>
/// <param name="host">The node, as the store sees it.</param>
/// <param name="sources">Returns the addresses of the members that can be asked, the preferred one first.</param>
/// <param name="timeout">The time that commits wait for members.</param>
sealed class RemoteCommitter(StoreHost host, Func<IReadOnlyList<string>> sources, TimeSpan timeout)
{
    static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(1);

    /// <summary>The time that a member has beyond that which it waits for other members itself.</summary>
    static readonly TimeSpan Allowance = TimeSpan.FromSeconds(5);

    /// <summary>Commits a transaction at one of the members.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="level">The level.</param>
    /// <param name="policyOf">Returns the merge policy of a keyspace.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The result, as the member has it.</returns>
    /// <exception cref="TimeoutException">No member could be reached, or none can commit at present. Nothing was written.</exception>
    /// <exception cref="OutcomeUnknownException">The transaction was sent, and no reply arrived.</exception>
    public async Task<CommitResult> CommitAsync(SerialTransaction transaction, Consistency level, Func<string, MergePolicy> policyOf, CancellationToken cancellationToken)
    {
        var commit = RemoteCommit.Of(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))), transaction, level, policyOf);
        var request = commit.Encode();
        string failure = "no member is known";
        foreach (string address in sources())
        {
            // A member that cannot be reached must not leave the outcome open: nothing is sent to it before it has answered.
            if (await FailureOfAsync(address, cancellationToken).ConfigureAwait(false) is { } unreachable)
            {
                failure = $"{address}: {unreachable}";
                continue;
            }
            RemoteOutcome outcome;
            try
            {
                outcome = await CallAsync(address, request, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.Status is RpcStatus.UnknownService or RpcStatus.UnknownMessage or RpcStatus.ShuttingDown or RpcStatus.LimitExceeded or RpcStatus.Unauthenticated)
            {
                failure = $"{address}: {e.Message.TrimEnd('.')}";
                continue;
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidDataException)
            {
                return await AskAgainAsync(address, commit, transaction, e, cancellationToken).ConfigureAwait(false);
            }
            if (outcome.Kind != RemoteOutcomeKind.Unavailable)
                return outcome.ToResult(level, transaction, token => AskAgainAsync(address, commit, transaction, cause: null, token));
            failure = $"{address}: {outcome.Message.TrimEnd('.')}";
        }
        throw new TimeoutException($"No member could commit the transaction ({failure}). Nothing was written. Retry when a member can be reached.");
    }

    /// <summary>Returns what members have at a level.</summary>
    /// <exception cref="TimeoutException">No member could be reached, or none can answer at present.</exception>
    public async Task<VersionVector> ReadKnownAsync(Consistency level, CancellationToken cancellationToken)
    {
        string failure = "no member is known";
        foreach (string address in sources())
        {
            try
            {
                using var reply = await host.Node.ChannelTo(address).CallAsync(
                    RemoteService.NameFor(host), RemoteService.KnownMessage, new[] { (byte)level }, new RpcCallOptions { Timeout = timeout + Allowance }, cancellationToken).ConfigureAwait(false);
                return Record.Decode(reply.Memory, "the transactions of a member", Record.ReadVector);
            }
            catch (Exception e) when (e is RpcException or InvalidDataException)
            {
                failure = $"{address}: {e.Message.TrimEnd('.')}";
            }
        }
        throw new TimeoutException($"No member could say what is committed at the level {level} ({failure}). Retry when a member can be reached, or read without a level.");
    }

    async ValueTask<string?> FailureOfAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            using var reply = await host.Node.ChannelTo(address).CallAsync(
                RemoteService.NameFor(host), RemoteService.KnownMessage, new[] { (byte)Consistency.None }, new RpcCallOptions { Timeout = Allowance }, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (RpcException e)
        {
            return e.Message.TrimEnd('.');
        }
    }

    async ValueTask<RemoteOutcome> CallAsync(string address, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        using var reply = await host.Node.ChannelTo(address).CallAsync(
            RemoteService.NameFor(host), RemoteService.CommitMessage, request, new RpcCallOptions { Timeout = timeout + Allowance }, cancellationToken).ConfigureAwait(false);
        return RemoteOutcome.Decode(reply.Memory);
    }

    /// <summary>Asks the member for the outcome of a transaction that it may have received.</summary>
    async Task<CommitResult> AskAgainAsync(string address, RemoteCommit commit, SerialTransaction transaction, Exception? cause, CancellationToken cancellationToken)
    {
        var request = (commit with { IsRepeated = true }).Encode();
        var time = host.Node.TimeProvider;
        long started = time.GetTimestamp();
        string reason = cause is OperationCanceledException ? "The wait for the outcome was canceled." : $"The connection to the member at {address} failed: {cause?.Message}";
        for (var pause = FirstRetry; !cancellationToken.IsCancellationRequested && time.GetElapsedTime(started) < timeout; pause = pause < LastRetry ? pause * 2 : LastRetry)
        {
            try
            {
                var outcome = await CallAsync(address, request, cancellationToken).ConfigureAwait(false);
                if (outcome.Kind != RemoteOutcomeKind.NotRemembered)
                    return outcome.ToResult(commit.Level, transaction, token => AskAgainAsync(address, commit, transaction, cause: null, token));
                reason = $"The member at {address} does not remember the transaction: it was restarted, or never received it.";
                break;
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidDataException)
            {
                if (!cancellationToken.IsCancellationRequested)
                    await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        throw new OutcomeUnknownException(reason, cause, token => AskAgainAsync(address, commit, transaction, cause: null, token));
    }
}
