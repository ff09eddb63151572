using System.Collections.Concurrent;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Remote;

/// <summary>The service of a member for stores that are none: commits their transactions, and tells them what members have at a level.</summary>
/// <param name="host">The node, as the store sees it.</param>
/// <param name="member">The operations of the member.</param>
sealed class RemoteService(StoreHost host, MemberOperations member) : RpcService
{
    public const string CommitMessage = "commit", KnownMessage = "known";

    /// <summary>The time for which the outcomes of transactions are remembered, for callers that lost the reply.</summary>
    static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    const int MaxRemembered = 10_000;

    readonly ConcurrentDictionary<ulong, Task<byte[]>> _commits = new();
    readonly ConcurrentQueue<(ulong Id, long At)> _order = new();

    public override string Name => NameFor(host);

    /// <summary>Returns the name of the service for a store.</summary>
    public static string NameFor(StoreHost host) => host.IsNamed ? $"remote/{host.Name}" : "remote";

    protected override void Register(RpcHandlers handlers)
    {
        handlers.HandleBytes(CommitMessage, async (request, _) => await CommitAsync(RemoteCommit.Decode(request.Payload)).ConfigureAwait(false));
        handlers.HandleBytes(KnownMessage, async (request, cancellationToken) =>
        {
            if (request.Payload.Length == 0)
                throw new InvalidDataException("The request names no level.");
            return Record.Encode(await member.ReadKnown((Consistency)request.Payload.Span[0], cancellationToken).ConfigureAwait(false), Record.WriteVector);
        });
    }

    /// <summary>Commits a transaction once, however often it is sent. It is not canceled together with the call: the caller may ask again.</summary>
    Task<byte[]> CommitAsync(RemoteCommit commit)
    {
        Forget();
        if (commit.IsRepeated)
            return _commits.TryGetValue(commit.Id, out var running) ? running : Task.FromResult(new RemoteOutcome(RemoteOutcomeKind.NotRemembered, "").Encode());
        var outcome = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_commits.GetOrAdd(commit.Id, outcome.Task) is var first && first != outcome.Task)
            return first;
        _order.Enqueue((commit.Id, host.Node.TimeProvider.GetTimestamp()));
        _ = RunAsync();
        return outcome.Task;

        async Task RunAsync()
        {
            try
            {
                outcome.SetResult((await OutcomeOfAsync(commit).ConfigureAwait(false)).Encode());
            }
            catch (Exception e)
            {
                // The caller must not wait for ever, whatever the failure is.
                outcome.TrySetResult(new RemoteOutcome(RemoteOutcomeKind.Unknown, e.Message).Encode());
            }
        }
    }

    async Task<RemoteOutcome> OutcomeOfAsync(RemoteCommit commit)
    {
        try
        {
            var transaction = commit.ToTransaction();
            if (commit.Level != Consistency.Serial)
            {
                foreach (var (keyspace, key, content) in transaction.Conditions)
                    transaction.Effects.Require(keyspace, key, document => (document is null ? null : ContentHash.Of(document)) == content);
            }
            return RemoteOutcome.Of(await member.Commit(transaction, commit.Level).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            return RemoteOutcome.Of(e, host.Node, member);
        }
    }

    void Forget()
    {
        while (_order.TryPeek(out var oldest) && (_commits.Count > MaxRemembered || host.Node.TimeProvider.GetElapsedTime(oldest.At) > Memory) && _order.TryDequeue(out oldest))
            _commits.TryRemove(oldest.Id, out _);
    }
}
