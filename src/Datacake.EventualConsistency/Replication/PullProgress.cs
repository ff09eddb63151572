using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A pull that is under way: how far it is, and what has come and waits for a clean cut [R9].</summary>
/// <param name="pull">The number of the pull.</param>
/// <param name="known">What the replica knew when it asked.</param>
/// <param name="isFull">True if all that the peer has was asked for.</param>
/// <param name="maxStagedLength">The limit of the parts that wait for a clean cut, in bytes.</param>
sealed class PullProgress(ulong pull, VersionVector known, bool isFull, long maxStagedLength)
{
    /// <summary>About what a document or a name takes in memory beside its bytes.</summary>
    const int ElementLength = 100;

    List<TransactionNames> _records = [];
    List<NamedDocument> _documents = [];
    ulong _stream;
    long _stagedLength;
    int _nextNumber;

    public ulong Pull { get; } = pull;

    /// <summary>What the replica knew when it asked.</summary>
    public VersionVector Known { get; } = known;

    /// <summary>True if all that the peer has was asked for, to be merged [R15].</summary>
    public bool IsFull { get; } = isFull;

    /// <summary>True if all of the parts so far was merged.</summary>
    public bool IsAllMerged { get; set; } = true;

    /// <summary>Ticks since the last part came.</summary>
    public int IdleTicks { get; set; }

    /// <summary>Copies what it is now, which stays so.</summary>
    public PullProgress Clone()
    {
        var clone = (PullProgress)MemberwiseClone();
        clone._records = [.. _records];
        clone._documents = [.. _documents];
        return clone;
    }

    /// <summary>Returns true if a part is the one that comes next; then it counts as come.</summary>
    public bool Expects(ulong pull, ulong stream, int number)
    {
        if (pull != Pull || (_stream != 0 && stream != _stream) || number != _nextNumber)
            return false;
        _stream = stream;
        _nextNumber++;
        IdleTicks = 0;
        return true;
    }

    /// <summary>Stages a part of the answer, and applies all that is staged if the parts so far are a clean cut.</summary>
    public async ValueTask TakeAsync(ReplicaBatch batch, Chunk chunk)
    {
        _records.AddRange(chunk.Records);
        _documents.AddRange(chunk.Documents);
        _stagedLength += chunk.Documents.Sum(static staged => (long)staged.Document.Encoded.Length + staged.Name.Key.Length + ElementLength)
            + chunk.Records.Sum(static record => (long)(1 + record.Documents.Count) * ElementLength);
        if (_stagedLength > maxStagedLength)
        {
            throw new InvalidDataException(
                $"The answer to a pull has {_stagedLength} bytes of which nothing can be used without the rest, and {maxStagedLength} may wait in memory. Give the "
                    + "process more memory; or start the node with an empty disk, which takes all documents one after the other.");
        }
        var claimed = batch.State.Known.Union(chunk.Claims);
        // Clean: no staged document shows an effect that is not claimed with it.
        if (!_documents.TrueForAll(staged => staged.Document.IsWithin(claimed)))
            return;

        await ApplyAsync(batch, chunk.Claims).ConfigureAwait(false);
        batch.Claim(chunk.Claims);
        batch.Note(chunk.Runs);
        batch.HasPulled = true;
        _records.Clear();
        _documents.Clear();
        _stagedLength = 0;
    }

    async ValueTask ApplyAsync(ReplicaBatch batch, VersionVector claims)
    {
        var truncated = batch.State.Truncated;
        var keys = _documents.ConvertAll(document => batch.KeyOf(document.Name));
        await batch.PrefetchAsync(keys).ConfigureAwait(false);
        for (int i = 0; i < keys.Count; i++)
        {
            var (key, document) = (keys[i], _documents[i].Document);
            batch.NoteReplaced(key, await batch.ReadAsync(key).ConfigureAwait(false), document);
            await batch.MergeAsync(key, document, truncated).ConfigureAwait(false);
        }
        AddLog(batch, claims);
    }

    /// <summary>
    /// Adds the records of a clean cut to the log. Transactions of one node that lie in one interval of the claims follow each other with none between them, since
    /// an interval has everything that this replica lacked when it asked. So they share entries of the storage, as they do where they were written.
    /// </summary>
    void AddLog(ReplicaBatch batch, VersionVector claims)
    {
        _records.Sort(static (a, b) => a.Stamp.Node != b.Stamp.Node ? a.Stamp.Node - b.Stamp.Node : a.Stamp.CompareTo(b.Stamp));
        var keys = new List<ReadOnlyMemory<byte>>();
        var previous = HlcTimestamp.None;
        foreach (var (stamp, names) in _records)
        {
            // What has come meanwhile by another way is in the log.
            if (batch.Truncated.Contains(stamp) || batch.Knows(stamp))
            {
                previous = HlcTimestamp.None;
                continue;
            }
            keys.Clear();
            bool mayPurge = false;
            foreach (var name in names)
            {
                var key = batch.KeyOf(name);
                keys.Add(key);
                mayPurge |= batch.FindRead(key) is not { } document || Delta.MayPurgeOf(document);
            }
            batch.AddLog(IsInOneInterval(claims[stamp.Node], previous, stamp) ? previous : HlcTimestamp.None, stamp, CollectionsMarshal.AsSpan(keys), mayPurge);
            previous = stamp;
        }
    }

    static bool IsInOneInterval(ReadOnlySpan<StampInterval> intervals, HlcTimestamp low, HlcTimestamp high)
    {
        foreach (var interval in intervals)
        {
            if (interval.Contains(high))
                return low.Node == high.Node && interval.Contains(low);
        }
        return false;
    }
}
