using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>The state of the sequence as this node sees it, for all threads. Written on the commit loop.</summary>
sealed class SerialStatusBoard
{
    readonly Replica _replica;
    readonly Sequencer _sequencer;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly Dictionary<ulong, byte> _nodes = [];   // of the voters that are or were members; used on the commit loop alone
    volatile SerialStatus _status;
    volatile string? _unreadableIndex;
    long _withoutSince;                         // when this node last began to know no sequencer; written before the status that says so
    IReadOnlyList<ulong> _seenVoters = [];      // the store ids in the status; used on the commit loop alone
    (byte Node, ulong Store)[] _seenMembers = [];   // likewise: the members then

    public SerialStatusBoard(Replica replica, Sequencer sequencer, TimeProvider time, ILogger logger)
    {
        (_replica, _sequencer, _time, _logger) = (replica, sequencer, time, logger);
        _withoutSince = time.GetTimestamp();
        _status = StatusNow();
    }

    /// <summary>Gets the status, without the counts of transactions.</summary>
    public SerialStatus Status => _status;

    /// <summary>Gets the reason why serial writes wait for a version of the library that can read all unique indexes; null if they do not.</summary>
    public string? UnreadableIndex => _unreadableIndex;

    /// <summary>Gets the time for which this node has known no sequencer; zero if it knows one.</summary>
    public TimeSpan TimeWithoutSequencer => _status.Sequencer is null ? _time.GetElapsedTime(Volatile.Read(ref _withoutSince)) : TimeSpan.Zero;

    /// <summary>Updates the board if something has changed. Called after each commit, so it compares what is cheap to compare.</summary>
    public void Refresh()
    {
        if (!ReferenceEquals(_seenVoters, _sequencer.Voters) || !HasSeenMembers() || _status.Sequencer != _sequencer.Current
            || _status.Epoch != (long)_sequencer.State.Epoch || _status.Waiting != _sequencer.Waiting || _status.Founding != _sequencer.State.Founding)
            Update();
        if (_unreadableIndex == _sequencer.UnreadableIndex)
            return;
        _unreadableIndex = _sequencer.UnreadableIndex;
        if (_unreadableIndex is { } reason)
            StoreLog.UniqueIndexUnreadable(_logger, _replica.Node, reason);
        else
            StoreLog.UniqueIndexesReadable(_logger, _replica.Node);
    }

    bool HasSeenMembers()
    {
        var members = _replica.Identity.Members;
        if (members.Count != _seenMembers.Length)
            return false;
        foreach (var (node, store) in _seenMembers)
        {
            if (!members.TryGetValue(node, out var member) || member.StoreId != store)
                return false;
        }
        return true;
    }

    /// <summary>Updates the status.</summary>
    public void Update()
    {
        var status = StatusNow();
        if (status.Sequencer is null && _status.Sequencer is not null)
            Volatile.Write(ref _withoutSince, _time.GetTimestamp());
        // A store that has just joined follows the only sequence that it knows.
        if (status.Founding != _status.Founding && _status.VoterCount > 0)
            LogFounding(status.Founding);
        _status = status;
    }

    /// <summary>Logs that the sequence was founded anew [S9]. The one that an operator lets found it logs that itself, once it is done.</summary>
    void LogFounding(Founding founding)
    {
        string reason = founding.IsForced ? "an operator has said that a majority of the voters is lost for good" : "the store of the only voter was restored from a backup";
        if (founding.Store != _replica.Identity.StoreId)
        {
            byte? founder = _replica.Identity.Members.Where(member => member.Value.StoreId == founding.Store).Select(static member => (byte?)member.Key).FirstOrDefault();
            StoreLog.FollowsFounding(_logger, _replica.Node, founder is { } node ? $"node {node}" : "a former member", reason);
        }
        else if (!founding.IsForced)
        {
            StoreLog.Founded(_logger, _replica.Node, reason);
        }
    }

    SerialStatus StatusNow()
    {
        var members = _replica.Identity.Members;
        _seenVoters = _sequencer.Voters;
        _seenMembers = [.. members.Select(static member => (member.Key, member.Value.StoreId))];
        var voters = members.Where(member => _seenVoters.Contains(member.Value.StoreId)).Aggregate(default(NodeSet), static (set, member) => set.With(member.Key));
        foreach (byte node in voters)
            _nodes[members[node].StoreId] = node;
        foreach (ulong store in _nodes.Keys.Except(_seenVoters).ToList())
            _nodes.Remove(store);
        // A node that came back with another store is a member again, and would be confused with its former store.
        var retired = _nodes.Values.Where(node => !members.ContainsKey(node)).Aggregate(default(NodeSet), static (set, node) => set.With(node));
        return new SerialStatus(voters, _seenVoters.Count, _sequencer.Current, (long)_sequencer.State.Epoch, _sequencer.Waiting)
        {
            RetiredVoters = retired,
            Founding = _sequencer.State.Founding,
        };
    }
}
