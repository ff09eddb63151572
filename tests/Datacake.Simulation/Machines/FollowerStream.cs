using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Histories;

namespace Datacake.Simulation.Machines;

/// <summary>The connection of a follower to a member, on both sides.</summary>
/// <param name="source">The member.</param>
/// <param name="connection">The number of the connection at the follower.</param>
/// <param name="request">The follower's request.</param>
sealed class FollowerStream(Machine source, ulong connection, FollowRequest request)
{
    public Machine Source { get; } = source;

    /// <summary>Gets the process of the member, with which the connection ends.</summary>
    public ulong Boot { get; } = source.Replica!.Boot;

    public ulong Connection { get; } = connection;

    /// <summary>Gets or sets the first message of the member.</summary>
    public SourceState? First { get; set; }

    /// <summary>Gets or sets the difference that the member still has to send; null once it has.</summary>
    public PullRequest? Owed { get; set; } = request.ToPull();

    /// <summary>Gets or sets the place of the follower in the member's feed.</summary>
    public long Position { get; set; }

    /// <summary>Gets or sets what the follower knows once it has received everything that was sent.</summary>
    public VersionVector Known { get; set; } = VersionVector.Empty;

    /// <summary>Gets the messages that were sent and have not arrived, with what their sender held.</summary>
    public Queue<(byte[] Message, Holdings Held)> InFlight { get; } = [];
}
