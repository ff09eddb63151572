using System.Net;

namespace Datacake.Node;

/// <summary>The outcome of dialing a seed.</summary>
public enum SeedContactState
{
    /// <summary>The host name of the seed stands for no address, as far as the name service says.</summary>
    NotResolved,

    /// <summary>Nobody has answered the last dial, or the endpoint was not dialed yet.</summary>
    NotReached,

    /// <summary>A node of the cluster answered the last dial.</summary>
    Reached,

    /// <summary>The last dial reached this node itself.</summary>
    Itself,

    /// <summary>The node that answered the last dial belongs to another cluster, or uses the id of this node.</summary>
    Refused,
}

/// <summary>
/// An endpoint of a seed, and the node that answered when it was last dialed. The answer decides, never the spelling of addresses: one node may be
/// known by many names. A host name that stands for several endpoints has one contact for each; some of these may be other addresses
/// of the same node, such as its IPv6 address, at which it need not listen.
/// </summary>
/// <param name="Seed">The seed as it was configured.</param>
/// <param name="Endpoint">The endpoint that was dialed; null while the seed is not resolved.</param>
/// <param name="State">What the last dial led to.</param>
/// <param name="NodeId">The node that answered; null if nobody did, or a node of another implementation, which does not say its id.</param>
/// <param name="Failure">Why nobody was reached; null if somebody was, or the endpoint was not dialed yet.</param>
public sealed record SeedContact(string Seed, IPEndPoint? Endpoint, SeedContactState State, byte? NodeId, string? Failure);
