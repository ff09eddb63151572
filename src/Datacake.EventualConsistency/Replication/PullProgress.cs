using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A pull that is in progress, with the parts that wait for a clean cut [R9].</summary>
/// <remarks>
/// Documents arrive in their current state, newest transactions first. So a document may show an older transaction, whose record and whose
/// other documents come in a later part. If the document were applied at once, a reader would see a part of that transaction, and this
/// replica would show a stamp that it does not know: a reconcile, a purge or a comparison of fingerprints would then draw the wrong
/// conclusion from the known set. Waiting for the end of the whole answer would be safe as well, but a break near the end would lose all
/// progress. See PROTOCOL.md: clean cut, staged.
/// </remarks>
/// <param name="pull">The number of the pull.</param>
/// <param name="known">The replica's known set at the time of the request.</param>
/// <param name="isFull">True if a full snapshot was requested.</param>
/// <param name="maxStagedLength">The maximum length of the parts that wait for a clean cut, in bytes.</param>
sealed class PullProgress(ulong pull, VersionVector known, bool isFull, long maxStagedLength)
{
    /// <summary>The approximate memory overhead of a document or a name, in bytes.</summary>
    const int ElementLength = 100;

    List<TransactionNames> _records = [];
    List<NamedDocument> _documents = [];
    ulong _stream;
    long _stagedLength;
    int _nextNumber;

    public ulong Pull { get; } = pull;

    /// <summary>Gets the replica's known set at the time of the request.</summary>
    public VersionVector Known { get; } = known;

    /// <summary>True if a full snapshot was requested, to be merged [R15].</summary>
    public bool IsFull { get; } = isFull;

    /// <summary>True if all parts so far were merged completely.</summary>
    public bool IsAllMerged { get; set; } = true;

    /// <summary>Gets or sets the number of ticks since the last part was received.</summary>
    public int IdleTicks { get; set; }

    /// <summary>Returns a copy that does not change with this instance.</summary>
    public PullProgress Clone()
    {
        var clone = (PullProgress)MemberwiseClone();
        clone._records = [.. _records];
        clone._documents = [.. _documents];
        return clone;
    }

    /// <summary>Returns true if a part is the next one, and then counts it as received.</summary>
    public bool Expects(ulong pull, ulong stream, int number)
    {
        if (pull != Pull || (_stream != 0 && stream != _stream) || number != _nextNumber)
            return false;
        _stream = stream;
        _nextNumber++;
        IdleTicks = 0;
        return true;
    }

    /// <summary>Stages a part of the answer, and applies everything staged if the parts so far form a clean cut.</summary>
    public async ValueTask TakeAsync(ReplicaBatch batch, Chunk chunk)
    {
        _records.AddRange(chunk.Records);
        _documents.AddRange(chunk.Documents);
        _stagedLength += chunk.Documents.Sum(static staged => (long)staged.Document.Encoded.Length + staged.Name.Key.Length + ElementLength)
            + chunk.Records.Sum(static record => (long)(1 + record.Documents.Count) * ElementLength);
        if (_stagedLength > maxStagedLength)
        {
            throw new InvalidDataException(
                $"The answer to a pull has {_stagedLength} bytes that can only be applied together. The limit is {maxStagedLength} bytes. Give the "
                    + "process more memory, or start the node with an empty disk, so that it copies all documents one by one.");
        }
        var claimed = batch.State.Known.Union(chunk.Claims);
        // Clean: no staged document shows a stamp that is not claimed with it.
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
    /// Adds the log records of a clean cut. Transactions of one node within one interval of the claims are consecutive, because an interval
    /// has every transaction that this replica lacked when it asked. Therefore they share log records, as they do in the log of their
    /// writer.
    /// </summary>
    void AddLog(ReplicaBatch batch, VersionVector claims)
    {
        _records.Sort(static (a, b) => a.Stamp.Node != b.Stamp.Node ? a.Stamp.Node - b.Stamp.Node : a.Stamp.CompareTo(b.Stamp));
        var keys = new List<ReadOnlyMemory<byte>>();
        HlcTimestamp previous = HlcTimestamp.None, last = HlcTimestamp.None;
        foreach (var (stamp, names) in _records)
        {
            if (stamp == last)
                throw new InvalidDataException($"The answer to a pull has the transaction {stamp} twice.");
            last = stamp;
            // A transaction that has meanwhile arrived in another way is in the log already.
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
                mayPurge |= batch.FindRead(key) is not { } document || DocumentDelta.MayPurgeOf(document);
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
