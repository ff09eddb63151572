namespace Datacake.Node.Gossip;

/// <summary>What to send in a round, and to whom.</summary>
readonly record struct GossipRound(IReadOnlyCollection<GossipTarget> Targets, GossipMessage.Syn Message);
