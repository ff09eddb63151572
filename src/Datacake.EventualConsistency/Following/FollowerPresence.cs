using System.Buffers.Binary;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Following;

/// <summary>
/// The memory of a member that it has followers. They are not members, so nothing tells the member what they lack; it keeps its log for a while for those that are
/// away. The record is stored, because they come back after the member has restarted, too.
/// </summary>
sealed class FollowerPresence(TimeProvider time)
{
    static readonly TimeSpan BetweenRecords = TimeSpan.FromMinutes(1);

    long _seen;             // the wall clock at which a follower was last connected, in milliseconds since 1970; 0 for never
    long _recorded;         // the same, as it is stored; used on the commit loop
    bool _isLoaded;         // used on the commit loop

    /// <summary>Notes that a follower is connected.</summary>
    public void Note() => Volatile.Write(ref _seen, Now);

    /// <summary>Returns true if a follower was connected within a time. Called on the commit loop at each tick, where it keeps the record up to date.</summary>
    public async ValueTask<bool> WasWithinAsync(TimeSpan retention, ReplicaBatch batch, CancellationToken cancellationToken)
    {
        if (!_isLoaded)
        {
            if (await batch.Snapshot.GetAsync(StoreLayout.FollowersKey, cancellationToken).ConfigureAwait(false) is { Length: sizeof(long) } stored)
                Interlocked.CompareExchange(ref _seen, _recorded = BinaryPrimitives.ReadInt64BigEndian(stored.Span), 0);
            _isLoaded = true;
        }
        long seen = Volatile.Read(ref _seen);
        if (seen - _recorded >= BetweenRecords.TotalMilliseconds)
        {
            byte[] record = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(record, seen);
            batch.Extra.Put(StoreLayout.FollowersKey, record);
            _recorded = seen;
        }
        // A clock that was set back must not keep the log for ever.
        return seen != 0 && Math.Abs(Now - seen) <= retention.TotalMilliseconds;
    }

    long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
