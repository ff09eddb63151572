using System.Collections.Concurrent;
using System.Threading.Channels;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Records;

namespace Datacake.Extensions.Caching.Keyspaces;

/// <summary>
/// The size of a keyspace, and its limit. If it is exceeded, entries are removed: those that expire first, with entries that do not expire counting as if they expired a day after they were set. The
/// store does not know when entries were last read.
/// </summary>
/// <remarks>
/// <para>The size is counted by a scan, and then with each change. Changes that are reported around the time of the scan may count twice. So it is counted again after a tenth of the limit was set,
/// and once nothing has changed for a second if changes came in between.</para>
/// <para>A tenth of the limit is removed at once, so the scans read some twenty bytes for each byte that was set. One node removes entries, without agreement: the member with the lowest id that is
/// up. The others do it, too, if the limit is exceeded by a tenth.</para>
/// </remarks>
sealed class KeyspaceSize(OpenedKeyspace opened, long limit)
{
    public const int OverheadPerDocument = 64;

    /// <summary>The time between two counts, as a multiple of the time that one takes.</summary>
    const int PausePerCount = 10;

    const int DeletesPerCommit = 200;
    const ulong SecondsUntilStale = 24 * 60 * 60;

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly ConcurrentDictionary<DocumentKey, bool> _leaving = [];     // entries whose removal the watch has not reported yet
    long _length;                                                       // as far as it is known
    long _set;                                                          // the length that was set since the last count
    long _changes;
    long _countedAt;                                                    // in ticks of UTC
    long _countEnded;                                                   // only the loop uses this and the next field
    TimeSpan _pause;                                                    // until the next count
    volatile bool _mustCount = true;
    volatile TaskCompletionSource? _left;

    /// <summary>Counts the keyspace again, because changes were missed.</summary>
    public void Recount()
    {
        _mustCount = true;
        Want();
    }

    /// <summary>Counts a change. Called by the watch.</summary>
    public void OnChange(in DocumentChange change)
    {
        Interlocked.Increment(ref _changes);
        if (!change.IsBeforeKnown)
            _mustCount = true;
        long after = LengthOf(change.Key, change.After);
        // What had expired before the count was not counted.
        long before = change.Before is { } old && (old.Expires.IsNone || old.Expires.Time.UtcTicks > Interlocked.Read(ref _countedAt)) ? LengthOf(change.Key, old) : 0;
        long length = Interlocked.Add(ref _length, after - before);
        long set = Interlocked.Add(ref _set, after);
        if (_mustCount || length > limit || set > limit / 10)
            Want();
        if (change.After is null && !_leaving.IsEmpty && _leaving.TryRemove(change.Key, out _) && _leaving.IsEmpty)
            _left?.TrySetResult();
    }

    /// <summary>Removes entries whenever there are too many, until it is canceled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A count is suspect if changes were reported during it, or within a second afterwards.
        bool isSuspect = false, isUnconfirmed = false, isDue = false;
        long changesBefore = 0;
        while (true)
        {
            try
            {
                await WaitAsync(isSuspect || isUnconfirmed || isDue ? Interval : Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
                long changes = Interlocked.Read(ref _changes);
                bool isQuiet = changes == changesBefore;
                changesBefore = changes;
                if (isUnconfirmed)
                    isSuspect = !isQuiet;
                isDue = _mustCount || (isSuspect && isQuiet) || Interlocked.Read(ref _set) > limit / 10;
                isUnconfirmed = isDue && opened.Node.TimeProvider.GetElapsedTime(_countEnded) >= _pause;
                if (isUnconfirmed)
                    await CountAsync(cancellationToken).ConfigureAwait(false);
                while (Length > Threshold && await LimitAsync(cancellationToken).ConfigureAwait(false))
                {
                    // Others have set entries in the meantime.
                }
            }
            catch (Exception e) when (cancellationToken.IsCancellationRequested || e is ObjectDisposedException)
            {
                return;
            }
            catch (Exception e)
            {
                CachingLog.LimitFailed(opened.Logger, e, opened.Documents.Name, Interval.TotalSeconds);
                _mustCount = isDue = true;
                (_countEnded, _pause) = (opened.Node.TimeProvider.GetTimestamp(), Interval);
            }
        }
    }

    long Length => Interlocked.Read(ref _length);

    /// <summary>Gets the length at which this node removes entries.</summary>
    long Threshold
    {
        get
        {
            foreach (var member in opened.Store.Members)
            {
                if (member.IsUp)
                    return member.NodeId == opened.Node.Id ? limit : limit + (limit / 10);
            }
            return limit;
        }
    }

    async Task CountAsync(CancellationToken cancellationToken)
    {
        _mustCount = false;
        Interlocked.Exchange(ref _set, 0);
        Interlocked.Exchange(ref _countedAt, opened.Now.UtcTicks);
        long start = opened.Node.TimeProvider.GetTimestamp(), before = Length, counted = 0;
        await foreach (var document in opened.Documents.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            counted += LengthOf(document.Key, document.Document);
        // Keeps what has changed since.
        Interlocked.Add(ref _length, counted - before);
        _countEnded = opened.Node.TimeProvider.GetTimestamp();
        var took = opened.Node.TimeProvider.GetElapsedTime(start, _countEnded);
        _pause = took * PausePerCount > Interval ? took * PausePerCount : Interval;
    }

    /// <summary>Removes entries if there are too many. Returns false if there was nothing to remove.</summary>
    async Task<bool> LimitAsync(CancellationToken cancellationToken)
    {
        long length = Length;
        var victims = await FindVictimsAsync(length, cancellationToken).ConfigureAwait(false);
        if (victims.Count == 0)
        {
            // The rest has expired and is about to be removed, or is no entry. Do not scan again at each change until then.
            await Task.Delay(Interval, opened.Node.TimeProvider, cancellationToken).ConfigureAwait(false);
            return false;
        }
        var left = _left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var victim in victims)
            _leaving[victim.Key] = true;
        try
        {
            int deleted = 0;
            foreach (var chunk in victims.Chunk(DeletesPerCommit))
                deleted += await DeleteAsync(chunk, cancellationToken).ConfigureAwait(false);
            opened.Metrics.OnEvicted(deleted);
            CachingLog.Evicted(opened.Logger, opened.Documents.Name, length, limit, deleted);
            // Without the reports, the length would look as if twice as much had to be removed.
            await left.Task.WaitAsync(Interval, opened.Node.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Another node has removed some of the entries, or they have expired.
        }
        finally
        {
            _leaving.Clear();
        }
        return true;
    }

    /// <summary>Deletes entries, except for those that were set again since the scan. Returns the number of deleted ones.</summary>
    internal async Task<int> DeleteAsync((DocumentKey Key, HlcTimestamp Born)[] victims, CancellationToken cancellationToken)
    {
        var transaction = new Transaction();
        foreach (var (key, born) in victims)
        {
            transaction.Delete(opened.Documents.Name, key);
            transaction.Require(opened.Documents.Name, key, document => document is null || document.Born == born);
        }
        try
        {
            await opened.Store.CommitAsync(transaction, Consistency.None, cancellationToken).ConfigureAwait(false);
            return victims.Length;
        }
        catch (TransactionConflictException) when (victims.Length > 1)
        {
            int deleted = 0;
            foreach (var victim in victims)
                deleted += await DeleteAsync([victim], cancellationToken).ConfigureAwait(false);
            return deleted;
        }
        catch (TransactionConflictException)
        {
            if (_leaving.TryRemove(victims[0].Key, out _) && _leaving.IsEmpty)
                _left?.TrySetResult();
            return 0;
        }
    }

    /// <summary>Returns the entries that are removed first, so that nine tenths of the limit are left; none if the limit is not exceeded after all.</summary>
    /// <param name="counted">The length that was counted, which may include entries that have expired and are not removed yet.</param>
    /// <param name="cancellationToken">Cancels the scan.</param>
    async Task<List<(DocumentKey Key, HlcTimestamp Born)>> FindVictimsAsync(long counted, CancellationToken cancellationToken)
    {
        long target = limit - (limit / 10), total = 0, found = 0;
        // The greatest first, so that it is dropped as soon as it is not needed. The memory for it does not grow with the keyspace.
        var victims = new PriorityQueue<(DocumentKey Key, HlcTimestamp Born, long Length), ulong>(Comparer<ulong>.Create(static (a, b) => b.CompareTo(a)));
        await foreach (var document in opened.Documents.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            long length = LengthOf(document.Key, document.Document);
            total += length;
            // What is no entry, such as the invalidation of a tag, has to stay.
            if (!CacheRecord.TryRead(document.Document, out var record) || record.Kind != CacheRecordKind.Entry)
                continue;
            found += length;
            victims.Enqueue((document.Key, document.Document.Born, length), RankOf(document.Document));
            KeepOnly(counted - target);
        }
        if (total <= Threshold)
            return [];
        KeepOnly(total - target);
        return [.. victims.UnorderedItems.Select(static item => (item.Element.Key, item.Element.Born))];

        void KeepOnly(long excess)
        {
            while (victims.Count > 0 && found - victims.Peek().Length >= excess)
                found -= victims.Dequeue().Length;
        }
    }

    static ulong RankOf(Document document) => document.Expires.IsNone ? document.Born.Packed + (SecondsUntilStale << 32) : document.Expires.Packed;

    static long LengthOf(DocumentKey key, Document? document) => document is null ? 0 : key.Encoded.Length + document.Encoded.Length + OverheadPerDocument;

    void Want() => _wanted.Writer.TryWrite(true);

    /// <summary>Waits until there may be something to do, or for a time.</summary>
    async Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        if (_wanted.Reader.TryRead(out _))
            return;
        using var enough = new CancellationTokenSource(time, opened.Node.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
        try
        {
            await _wanted.Reader.ReadAsync(linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing was wanted.
        }
    }
}
