using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// The messages of sessions [R6 to R9].
sealed partial class Replica
{
    /// <summary>Processes a message of a session, and ignores it if that session is no longer open.</summary>
    /// <returns>The intervals of the peer's transactions that are in the batch, to be acknowledged once it is committed.</returns>
    /// <exception cref="InvalidDataException">No correct peer can have sent the message.</exception>
    /// <exception cref="ClockDriftException">The message contains a stamp that is too far ahead.</exception>
    public async ValueTask<IReadOnlyList<StampInterval>> ReceiveAsync(
        ReplicaBatch batch, byte peer, long session, ReplicaMessage message, CancellationToken cancellationToken)
    {
        if (!IsOpen(peer, session))
            return [];
        switch (message)
        {
            // A store that leaves takes nothing more, so that what it has remains what others were found to have [R22].
            case Mutations or Chunk or SnapshotPage or RightsRequest or PullDeclined when IsLeaving:
                break;
            case Mutations mutations:
                return await OnMutationsAsync(batch, peer, mutations).ConfigureAwait(false);
            case Report report:
                OnReport(batch, peer, report);
                break;
            case RollCall call:
                batch.Outbox.Add(new Outgoing(peer, session, Report(batch, call.Nonce)));
                break;
            case Chunk chunk:
                await OnChunkAsync(batch, peer, chunk).ConfigureAwait(false);
                break;
            case SnapshotPage page:
                await OnSnapshotPageAsync(batch, peer, page, cancellationToken).ConfigureAwait(false);
                break;
            case RightsRequest request:
                await OnRightsRequestAsync(batch, peer, request).ConfigureAwait(false);
                break;
            case LeaveRequest request:
                OnLeaveRequest(batch, peer, request);
                break;
            case PullDeclined declined:
                if (_puller.OnDeclined(peer, declined.Pull) is { IsFull: true })
                    _lost.OnDeclined(peer);
                break;
            default:
                throw new InvalidDataException($"A message of the type {message.GetType().Name} is not valid within a session.");
        }
        return [];
    }

    async ValueTask<IReadOnlyList<StampInterval>> OnMutationsAsync(ReplicaBatch batch, byte peer, Mutations mutations)
    {
        var applied = new List<StampInterval>();
        foreach (var mutation in mutations.Items)
        {
            if (!await _receiver.TryApplyAsync(batch, peer, mutation, IsJoined).ConfigureAwait(false))
                continue;
            await WriteAgainAsync(batch).ConfigureAwait(false);
            await ConsiderRightsAsync(batch, mutation).ConfigureAwait(false);
            // Consecutive mutations are acknowledged as one interval.
            if (applied.Count > 0 && applied[^1].High == mutation.Previous)
                applied[^1] = applied[^1] with { High = mutation.Stamp };
            else
                applied.Add(new StampInterval(mutation.Previous, mutation.Stamp));
        }
        return applied;
    }

    void OnReport(ReplicaBatch batch, byte peer, Report report)
    {
        if (_admission.ReasonAgainstClock(peer, report.WallClock) is { } refusal)
        {
            // A clock was set during the session. Stamps that it issues from now on could lead those of all other members.
            EndSession(peer, refusal);
            return;
        }
        if (!TakeOverCluster(report.Cluster))
        {
            EndSession(peer, _admission.ReasonAgainstCluster(peer, report.Cluster));
            return;
        }
        _plausibility.Check(peer, report);
        report = report with { Table = _proofs.WithoutUnproven(report.Table, report.Cluster) };
        var run = report.Peers.TryGetValue(peer, out var own) ? own.Run : HlcTimestamp.None;
        OnBeganSession(peer);
        bool hadRun = Sessions.TryGetValue(peer, out var before) && !before.Run.IsNone;
        _table.Update(peer, run, report.WallClock - _settings.Time.GetUtcNow(), report.Table.RetiredDigest, _ticks);
        Learn(report.Table, isOfMember: report.Peers.ContainsKey(peer));
        _members.Hear(peer, report, Sessions);
        if (!run.IsNone && Sessions.TryGetValue(peer, out var session) && Members.StoreOf(Identity.Members, peer) == session.StoreId)
        {
            batch.Note(peer, run);
            _members.OnJoined(peer);
            if (!hadRun)
                _lost.OnOpened(peer);
        }
        if (report.Fingerprint is { } theirs && FingerprintIn(batch) is { } mine && own.Known is { } known && known.Equals(_state.Known))
            _comparison.Compare(peer, theirs, mine);
        if (_roll is { } roll && roll.Take(peer, report))
            FinishRoll(batch);
    }

    /// <summary>Stages a part of the answer to a pull, and applies everything staged if the parts so far form a clean cut.</summary>
    async ValueTask OnChunkAsync(ReplicaBatch batch, byte peer, Chunk chunk)
    {
        if (_puller.Expect(peer, chunk.Pull, chunk.Stream, chunk.Number) is not { } pull)
            return;
        if (!chunk.Source.Covers(batch.State.Truncated))
        {
            _puller.End(peer);                                                  // this replica has truncated more meanwhile: start again
            return;
        }
        _plausibility.Check(peer, chunk);
        if (chunk.IsLast)
        {
            _puller.End(peer);
            _reconciler.Guard.OnDifference(peer);
        }
        await pull.TakeAsync(batch, chunk).ConfigureAwait(false);
        await WriteAgainAsync(batch).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes a page of a full snapshot: into the store if the store is joining; otherwise merges it, or sets it aside to be reconciled once
    /// complete.
    /// </summary>
    async ValueTask OnSnapshotPageAsync(ReplicaBatch batch, byte peer, SnapshotPage page, CancellationToken cancellationToken)
    {
        if (_puller.Expect(peer, page.Pull, page.Stream, page.Number) is not { } pull)
            return;
        _plausibility.Check(peer, page, IsJoined && !pull.IsFull ? pull.Known : null);
        if (IsJoined && page.Part != SnapshotPart.Whole)
            throw new InvalidDataException($"Node {peer} continued a snapshot that this replica never began to receive.");
        if (!TakeOverCluster(page.Cluster))
        {
            EndSession(peer, _admission.ReasonAgainstCluster(peer, page.Cluster));
            return;
        }
        if (pull.IsFull && !page.State.Known.Covers(batch.State.Truncated))
        {
            _puller.End(peer);                                                  // this replica has truncated more meanwhile: ask again
            return;
        }
        if (page.IsLast)
            _puller.End(peer);
        if (pull.IsFull)
        {
            pull.IsAllMerged &= await FingerprintComparison.MergeAsync(batch, page).ConfigureAwait(false);
            if (page.IsLast)
                _lost.OnMerged(peer, page.State.Known, pull.IsAllMerged);
        }
        else if (IsJoined)
            _reconciler.TakeAside(batch, peer, page);
        else if (!_seedCopier.IsWhole && await _seedCopier.TakeAsync(batch, peer, Sessions[peer].StoreId, Sessions[peer].Ancestors, page, cancellationToken).ConfigureAwait(false))
            FinishSeed(batch);
    }

    ValueTask WriteAgainAsync(ReplicaBatch batch) => batch.HasReplaced ? _rewriter.WriteAgainAsync(batch) : ValueTask.CompletedTask;
}
