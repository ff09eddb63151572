using System.Net;

namespace Datacake.Node;

/// <summary>The outcome of dialing a seed.</summary>
public enum SeedContactState
{
    /// <summary>A seed whose host name could not be resolved.</summary>
    NotResolved,

    /// <summary>An endpoint at which no node answered the last dial, or that was not dialed yet.</summary>
    NotReached,

    /// <summary>An endpoint at which a node of the cluster answered the last dial.</summary>
    Reached,

    /// <summary>An endpoint at which this node itself answered the last dial.</summary>
    Itself,

    /// <summary>An endpoint at which the last dial was refused: the two nodes belong to different clusters or use the same id.</summary>
    Refused,
}

/// <summary>
/// An endpoint of a seed, and the node that answered its last dial. Nodes are identified by their answers, never by the spelling of their
/// addresses, because a node may have many names. A host name that resolves to several endpoints has one contact for each of them. Several
/// endpoints may belong to the same node, such as an IPv4 and an IPv6 address, and the node need not listen on all of them.
/// </summary>
/// <param name="Seed">The seed as it was configured.</param>
/// <param name="Endpoint">The endpoint that was dialed; null while the seed is not resolved.</param>
/// <param name="State">The outcome of the last dial.</param>
/// <param name="NodeId">
/// The id of the node that answered; null if no node answered, or if the node belongs to another implementation, which does not send its
/// id.
/// </param>
/// <param name="Failure">The reason why no node was reached; null if one was, or if the endpoint was not dialed yet.</param>
public sealed record SeedContact(string Seed, IPEndPoint? Endpoint, SeedContactState State, byte? NodeId, string? Failure);
