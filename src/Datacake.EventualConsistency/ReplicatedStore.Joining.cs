using System.Runtime.CompilerServices;

namespace Datacake.EventualConsistency;

// What is seen of joining.
public sealed partial class ReplicatedStore
{
    /// <summary>The log has a line for each such part of the documents that a joining store takes.</summary>
    const int LoggedParts = 10;

    /// <summary>So many ticks without a document are worth a line in the log.</summary>
    const int MaxSilentTicks = 20;

    volatile JoinStatus _joinStatus = null!;        // set before the store is handed out, and then replaced on the commit loop
    int _silentTicks;

    /// <summary>How far the store is with joining its cluster.</summary>
    public JoinStatus JoinStatus => _joinStatus;

    /// <summary>How far the store is with joining its cluster: what it is now, and what it becomes, until it has joined. A slow reader misses some.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was before it had joined.</exception>
    public async IAsyncEnumerable<JoinStatus> WatchJoiningAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        JoinStatus? told = null;
        while (told is not { IsJoined: true })
        {
            await _waiters.WaitAsync(() => !ReferenceEquals(_joinStatus, told), cancellationToken).ConfigureAwait(false);
            yield return told = _joinStatus;
        }
    }

    /// <summary>On the commit loop, after each commit until the store has joined.</summary>
    void RefreshJoinStatus()
    {
        var before = _joinStatus;
        var status = CurrentJoinStatus();
        if (status == before)
            return;
        _joinStatus = status;
        _silentTicks = 0;
        // Before the log is written, which may throw.
        if (status.IsJoined)
            _joined.TrySetResult();
        bool isNew = status.Source != before.Source || status.Documents < before.Documents;
        if (status.Source is { } source && (isNew || PartOf(status) > PartOf(before)))
            StoreLog.Joining(_logger, _node.Id, status.Documents, status.EstimatedDocuments, source);
        if (status.IsJoined)
            StoreLog.Joined(_logger, _node.Id, $"{_replica.Identity.Members.Count} members, {_replica.Run} is its first stamp");

        static long PartOf(JoinStatus status) => status.Documents * LoggedParts / Math.Max(status.EstimatedDocuments, 1);
    }

    JoinStatus CurrentJoinStatus()
    {
        var (documents, estimated, source) = _replica.SeedProgress;
        return new JoinStatus(_replica.IsJoined, documents, Math.Max(documents, estimated), source);
    }

    /// <summary>On the commit loop, at each tick until the store has joined.</summary>
    void TickJoining()
    {
        if (_joining.MustForm())
            _replica.Bootstrap();
        else if (++_silentTicks % MaxSilentTicks == 0)
            StoreLog.NotJoined(_logger, _node.Id, _joining.Describe());
    }
}
