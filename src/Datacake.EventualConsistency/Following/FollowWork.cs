using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Following;

/// <summary>A message of a follower's source on its way through the commit loop.</summary>
/// <param name="replica">The replica of the follower.</param>
/// <param name="connection">The number of the connection that the message came over.</param>
/// <param name="source">The first message of the source.</param>
/// <param name="message">The message.</param>
/// <param name="onDone">Called when the message is stored, or not: then with the reason, and the connection is over.</param>
sealed class FollowWork(Replica replica, ulong connection, SourceState source, ReplicaMessage message, Action<Exception?> onDone) : CommitWork
{
    bool _isOver;

    public override bool MayUseReserve => message.MayUseReserve;

    /// <summary>False, because whatever is lost with its known set is sent again.</summary>
    public override bool NeedsDurability => false;

    public override byte? Peer => source.Node;

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            _isOver = !await replica.FollowAsync(batch, connection, source, message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // What came before is unaffected. What comes after would leave a gap.
            replica.EndFollowing(connection);
            throw;
        }
    }

    public override void OnCommitted() => onDone(_isOver ? new InvalidOperationException(replica.DiffersFromSource ? "the copy differs from what the member shows, so a new one is taken" : "the connection is over") : null);

    public override void OnFailed(Exception failure)
    {
        replica.EndFollowing(connection);
        onDone(failure);
    }
}
