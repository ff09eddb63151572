using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.EventualConsistency;

/// <summary>The timer that makes a sequencer do what is due, on the commit loop. Thread-safe.</summary>
sealed class SequencerTimer : IDisposable
{
    /// <summary>The time after which a tick is tried again that the commit loop had no room for.</summary>
    static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>The time after which a tick is tried again that could not be committed.</summary>
    static readonly TimeSpan FailureDelay = TimeSpan.FromSeconds(1);

    readonly Sequencer _sequencer;
    readonly CommitLoop _loop;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    readonly ITimer _timer;
    long _dueAt = long.MaxValue;                // under the lock; when the timer is due

    public SequencerTimer(Sequencer sequencer, CommitLoop loop, TimeProvider time)
    {
        (_sequencer, _loop, _time) = (sequencer, loop, time);
        _timer = time.CreateTimer(static timer => ((SequencerTimer)timer!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Makes the timer due no later than in a given time.</summary>
    public void Set(TimeSpan dueIn)
    {
        if (dueIn == Timeout.InfiniteTimeSpan)
            return;
        long dueAt = _time.GetTimestamp() + (long)(dueIn.TotalSeconds * _time.TimestampFrequency);
        lock (_lock)
        {
            if (dueAt >= _dueAt)
                return;
            _dueAt = dueAt;
            _timer.Change(dueIn, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _dueAt = long.MinValue;
        _timer.Dispose();
    }

    void OnTimer()
    {
        lock (_lock)
        {
            if (_dueAt == long.MinValue)
                return;
            _dueAt = long.MaxValue;
        }
        if (!_loop.TryPost(new TickWork(this)))
            Set(RetryDelay);
    }

    sealed class TickWork(SequencerTimer timer) : CommitWork
    {
        public override bool MayUseReserve => true;

        public override bool NeedsDurability => false;

        public override ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) => timer._sequencer.TickAsync(batch);

        public override void OnCommitted()
        {
            // The timer is set after each commit.
        }

        public override void OnFailed(Exception failure)
        {
            if (failure is not ObjectDisposedException)
                timer.Set(FailureDelay);
        }
    }
}
