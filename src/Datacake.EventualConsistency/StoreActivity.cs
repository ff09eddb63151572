using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency;

/// <summary>
/// The activity of a store besides its periodic work. A named store at which nothing happens rests: it ticks, and reports to its peers, less and
/// less often. Otherwise the reports of a thousand idle stores would keep a node busy. Thread-safe.
/// </summary>
sealed class StoreActivity(TimeProvider time)
{
    readonly WakeUp _news = new(time);
    int _count;

    /// <summary>Gets a number that changes whenever something happens.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Notes that something has happened.</summary>
    public void Note()
    {
        Interlocked.Increment(ref _count);
        _news.Call();
    }

    /// <summary>Notes a batch that was committed, unless it has changed nothing and sends nothing but reports and the heartbeats of the sequencer.</summary>
    public void Note(ReplicaBatch batch)
    {
        if (batch.Mutations.Count > 0 || batch.KeyspaceChanges.Count > 0 || !batch.State.Known.Equals(batch.Before.Known) || !batch.State.Truncated.Equals(batch.Before.Truncated)
            || batch.Outbox.Exists(static sent => sent.Message is not (Report or SequenceMessage)))
            Note();
    }

    /// <summary>Waits until something happens, for at most the given time.</summary>
    public async ValueTask WaitAsync(int seen, TimeSpan atMost, CancellationToken cancellationToken)
    {
        // An earlier call may still count for the wait.
        while (Count == seen && await _news.WaitAsync(atMost, cancellationToken).ConfigureAwait(false))
        {
        }
    }
}
