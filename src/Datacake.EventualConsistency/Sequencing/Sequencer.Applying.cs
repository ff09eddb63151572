using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

// The effects of what is decided [S4].
partial class Sequencer
{
    bool _isReady;                      // has applied an entry of its own epoch
    HlcTimestamp _serialRun;            // the last stamp of this store before the first one with effects in this epoch, or none

    /// <summary>Commits the effects of everything that is decided, as one ordinary transaction, under a stamp that a majority has granted.</summary>
    async ValueTask ApplyAsync(ReplicaBatch batch, HlcTimestamp granted)
    {
        // What was inherited waits for an entry of the own epoch, and is then applied again together with it: the earlier sequencer may have applied
        // some of it or not. The effects are whole documents, so that the later ones on top make it harmless, and the newer stamp makes it certain.
        if (!_isReady && !DecidesBy(_decided))
            return;
        var stamp = _replica.IssueStamp();
        if (stamp > granted)
            return;
        var token = Kept.Token;
        bool hasEarlier = false;
        if (!_isReady)
            (token, hasEarlier) = await WithShownAsync(batch, token).ConfigureAwait(false);
        var effects = new SerialEffects();
        for (ulong index = Kept.Base + 1; index <= _decided; index++)
        {
            _settings.OnDecided?.Invoke(index, _log[index]);
            if (_log[index] is { MustBeApplied: true } entry && MustApply(entry))
            {
                bool isDone = hasEarlier && entry.HasOutcome && (await FindOutcomeAsync(batch, entry.Id.Caller).ConfigureAwait(false)).Number >= entry.Id.Number;
                effects.Add(entry, CountsNumbersOf(entry), isDone);
            }
        }
        effects.Forget(await FindOutdatedAsync(batch).ConfigureAwait(false));
        if (await effects.ToTransactionAsync(batch, token).ConfigureAwait(false) is { } transaction)
        {
            if (_serialRun.IsNone)
                _serialRun = _replica.LastWritten(batch);
            await _replica.WriteSerialAsync(batch, transaction, stamp).ConfigureAwait(false);
            token = Joined(token.Union(_replica.Node, _serialRun, stamp), batch.State.Known);
        }
        ulong first = Kept.Base + 1;
        _isReady |= _log.EpochAt(_decided) == Kept.Epoch;
        AnswerApplied(batch, first, _decided, token);
        _log.DropUpTo(_decided, token);
    }

    /// <summary>
    /// Returns a token in which the intervals of each node are joined whose gaps the store knows. Otherwise, each term of a sequencer would add one for good. Whoever has the effects needs little
    /// more for it, since the stamps of the gaps are older.
    /// </summary>
    internal static VersionVector Joined(VersionVector token, VersionVector known)
    {
        var joined = token;
        foreach (byte node in token.Nodes)
        {
            var intervals = token[node];
            for (int i = 1; i < intervals.Length; i++)
            {
                if (known.Covers(VersionVector.Of(node, intervals[i - 1].High, intervals[i].Low)))
                    joined = joined.Union(node, intervals[i - 1].High, intervals[i].Low);
            }
        }
        return joined;
    }

    /// <summary>
    /// Adds to a token what the store shows of earlier sequencers. What they have applied is partly left out by a new sequencer, whose readers must have it all the same. Returns false
    /// if the store has a gap: it may then lack effects of an earlier sequencer although it shows later ones, and the lacking ones may be lost for good.
    /// </summary>
    static async ValueTask<(VersionVector Token, bool HasEarlier)> WithShownAsync(ReplicaBatch batch, VersionVector token)
    {
        if (batch.FindKeyspace(SerialPosition.Keyspace) is not { } keyspace)
            return (token, true);
        var position = await batch.ReadAsync(batch.KeyOf(keyspace, SerialPosition.Key)).ConfigureAwait(false);
        var stamp = SerialPosition.StampOf(position);
        if (stamp.IsNone)
            return (token, true);
        var shown = SerialPosition.Of(position).Union(stamp.Node, new HlcTimestamp(stamp.Packed - 1), stamp);
        return batch.State.Known.Covers(shown) ? (token.Union(shown), true) : (token, false);
    }
}
