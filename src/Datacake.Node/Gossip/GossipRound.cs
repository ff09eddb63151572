namespace Datacake.Node.Gossip;

/// <summary>The opening message of a round, and the nodes that it is sent to.</summary>
readonly record struct GossipRound(IReadOnlyCollection<GossipTarget> Targets, GossipMessage.Syn Message);
